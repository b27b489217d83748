"""Prints the gaps that ministack itself has closed: their files can go."""

from toolkit.local_aws.gaps import all_gaps

for gap in all_gaps():
    if not gap.is_needed():
        print(gap.__name__)
