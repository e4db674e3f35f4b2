#!/usr/bin/env python3
from pharmacell.cli.predict_perturbation import predict_perturbation

if __name__ == "__main__":
    predict_perturbation()
