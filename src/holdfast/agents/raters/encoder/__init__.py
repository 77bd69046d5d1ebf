"""The encoder rater of expressed empathy: a small head on a frozen MiniLM and on the linear rater's logits."""
