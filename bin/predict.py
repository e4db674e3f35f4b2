#!/usr/bin/env python3
from pharmacell.cli.predict import predict

if __name__ == "__main__":
    predict()
