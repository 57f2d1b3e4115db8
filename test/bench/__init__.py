"""The measurements: our configuration beside the seed's, on the same lab in one run, as ratios."""
