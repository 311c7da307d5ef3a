-- Rows of the To do list that are over, so that another process and the one after a restart show them for their hour
-- (operator-pages §3.1): the row as it was seen last, and between which two looks it ended.
CREATE TABLE evpower.attention_over (
    key     text PRIMARY KEY CHECK (length(key) <= 200),
    item    jsonb NOT NULL,
    mine_of text,
    seen_at timestamptz NOT NULL,
    over_at timestamptz NOT NULL
);
CREATE INDEX attention_over_time ON evpower.attention_over (over_at);
