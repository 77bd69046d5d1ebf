"""What holdfast measures: pure functions on arrays, no engine, model or page in sight.

::

    extract            episode records -> arrays (episodes x turns) per candidate
    adherence          how near each reply is to the pattern that its task asks for
    bootstrap          95 % intervals, clustered by persona
    sums               the same from sums by cluster, for more episodes than fit in memory
    retention, slope   what is left at the end, and how fast it goes
    mixed              mixed-model slope, reply length beside it, with and without the closing turns
    decay_fit          exponential to a floor: the half-life
    decay_profile      profile-likelihood limits for half-life and floor
    change_point       where the level of the curve changes, if it does
    survival           first lasting violation, Kaplan-Meier
    leaving            users who leave: two bounds, competing risks
    log_rank           do two candidates break at different times?
    equivalence        "holds" means a change within a margin
    power              how many personas does a difference need?
    tactics            does a reply do again what the last one did?
    ngrams, repetition templates, distinct n-grams, likeness to earlier replies
    gap                desired minus perceived empathy, and how much of it a candidate closes
    naming             does a reply name the feeling or the topic that the user just named?
    pairwise           two candidates before the same users
    routing_accuracy   was the task recognised?
    transcripts        one hash over all that was said
    agreement          raters against people

An undefined value is nan, never 0, and whatever was left out is counted.
"""
