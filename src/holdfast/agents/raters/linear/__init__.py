"""The linear rater of expressed empathy, fitted on EPITOME's human labels."""
