-- `digest` in each table: of the row's other columns, so that damage is noticed.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, digest BLOB) WITHOUT ROWID;
-- One row per episode that the study asks for, from the start; `ended` is set once it needs no more turns.
CREATE TABLE episodes (
    place INTEGER PRIMARY KEY, -- order in the study
    id TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    stop TEXT,
    error TEXT,
    digest BLOB
);
-- Append-only: a row is one finished turn, and is never changed.
CREATE TABLE turns (
    episode TEXT NOT NULL,
    turn INTEGER NOT NULL,
    user TEXT NOT NULL,
    said TEXT NOT NULL,
    reply TEXT NOT NULL,
    ratings TEXT NOT NULL,
    felt TEXT NOT NULL,
    emotion REAL NOT NULL,
    state TEXT NOT NULL,
    goals_served TEXT NOT NULL DEFAULT '[]',
    adapter TEXT,
    recognised_task TEXT,
    stop TEXT,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    thoughts TEXT NOT NULL DEFAULT '', -- of the reply; never heard, never rated
    outcome TEXT NOT NULL DEFAULT 'answered', -- what became of the request for a reply
    calls INTEGER NOT NULL DEFAULT 1, -- requests to models that the reply took
    kept TEXT NOT NULL DEFAULT '', -- what an application did beside the reply
    digest BLOB,
    PRIMARY KEY (episode, turn)
);
