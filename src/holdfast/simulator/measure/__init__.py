"""Measures as pure functions on arrays, independent of engine, models and report.

::

    extract            episode records -> arrays (episodes x turns) per candidate, ratings of any rater, targets
    bootstrap          95 % intervals, clustered by persona
    sums               the same from sums by cluster, for more episodes than fit in memory
    estimates          the parts that results files are made of: an estimate, a curve of them by turn
    agreement          raters against people
    calibration        mean label of passages with about the same score
    gap                desired minus perceived empathy, and how much of it a candidate closes
    labelled_mean      what people would say on average, from a few labels and many ratings
    jackknifed         its limits, differences and ratios, also where nothing varies
    goals              share of people's goals that was served, by turn and goal by goal
    group_difference   two groups of conversations, with the same people or others
    clustered          a mean with one-sided limits by Student's t, clustered by persona
    pairwise           two candidates with the same users, and the one verdict on them
    simultaneous       all pairs at once: limits that leave out 0 exactly where p is below .05
    replicates         the mean over several trainings of one arm
    power              personas that a difference needs
    routing_accuracy   how often the task was recognised
    transcripts        one hash over all messages

    decay/retention, decay/slope   adherence left at the end, and its slope
    decay/mixed_slope    mixed-model slope, with reply length as covariate, with and without the closing turns
    decay/exponential    exponential to a floor: the half-life of a fall
    decay/shape          a step, an exponential or neither, by AICc
    decay/profile        profile-likelihood limits for half-life and floor
    decay/change_point   where the level of the curve changes, if it does
    decay/survival       first lasting violation, Kaplan-Meier
    decay/leaving        users who leave: two bounds, competing risks
    decay/log_rank       whether two candidates break at different times
    decay/holds          "holds": three one-sided tests, and the one word for where a curve goes

    text/ngrams, text/repetition   templates, distinct n-grams, similarity to earlier replies
    text/naming      whether replies name the feeling or the topic that the user just named
    text/realism     how much simulated users talk like their persona, like themselves, and like people
    text/tactics     whether a reply repeats the tactics of the one before

An undefined value is nan, in a part of a results file None, never 0, and whatever was left out is counted.
"""
