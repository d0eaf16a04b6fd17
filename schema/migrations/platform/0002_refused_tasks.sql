-- What a server does not do until somebody looked at it: the operator reads it and tells the user.
ALTER TABLE maintenance_tasks
    ADD COLUMN refused text CHECK (char_length(refused) BETWEEN 1 AND 63),
    ADD COLUMN refused_because text CHECK (char_length(refused_because) <= 400);
