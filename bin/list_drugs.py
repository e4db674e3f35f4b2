#!/usr/bin/env python3
from pharmacell.cli.list_drugs import list_drugs

if __name__ == "__main__":
    list_drugs()
