"""python-calamine alone: every row of a workbook's first sheet, kept nowhere.

calamine_run.py FILE
"""

import sys

import python_calamine


def main(file: str) -> None:
    """Read the sheet row by row."""
    for _ in python_calamine.load_workbook(file).get_sheet_by_index(0).iter_rows():
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
