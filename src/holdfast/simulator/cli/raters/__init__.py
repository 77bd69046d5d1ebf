"""Commands about raters and judges."""
