-- Contents in the object store that no document and no version had when the sweep looked. One is removed a while
-- after it was first seen so, if each sweep since then saw the same.
CREATE TABLE unnamed_content (
    content_key uuid PRIMARY KEY,
    modified    timestamptz NOT NULL,
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL
);
