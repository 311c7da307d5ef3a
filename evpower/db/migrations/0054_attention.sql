-- What people made of a row of the To do list: whose it is, and until when it need not be shown (operator-pages §3.1).
-- A row's key names its condition for as long as it lasts.
CREATE TABLE evpower.attention_marks (
    key           text PRIMARY KEY CHECK (length(key) <= 200),
    mine_of       text,
    mine_at       timestamptz,
    snoozed_by    text,
    snoozed_until timestamptz,
    CONSTRAINT attention_marks_mine CHECK ((mine_of IS NULL) = (mine_at IS NULL)),
    CONSTRAINT attention_marks_snoozed CHECK ((snoozed_by IS NULL) = (snoozed_until IS NULL))
);
