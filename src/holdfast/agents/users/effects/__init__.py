"""Which fields of a persona change anything in a talk: each is changed by itself, and scripted talks are held again."""
