-- What people wrote down about a row of the To do list: 'do not repair', 'the electrician comes on Monday' (operator-pages §3.1).
CREATE TABLE evpower.attention_notes (
    key      text PRIMARY KEY CHECK (length(key) <= 200),
    note     text NOT NULL CHECK (length(note) BETWEEN 1 AND 500),
    noted_by text NOT NULL,
    noted_at timestamptz NOT NULL
);
