-- Every instant (…_at) is BIGINT, in whole Unix seconds. Every flag is BIGINT, 0 or 1.
-- Every digest is BLOB, the 32 bytes of SHA-256: no secret is stored in a form that can be presented.
-- A scope is TEXT, its tokens in alphabetical order with one space between them; it may be empty.
--
-- Rows do not change after they are written, except for columns that are NULL until something happens
-- to the row and are set once, and for what administration edits.

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- public, confidential
    scope TEXT NOT NULL,
    grant_types TEXT NOT NULL,              -- one space between them
    require_pkce BIGINT NOT NULL,
    auth_method TEXT,
    rotate_refresh_tokens BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE client_redirect_uris (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,               -- the order in which they were registered
    uri TEXT NOT NULL,
    PRIMARY KEY (client_id, position)
);

CREATE TABLE client_secrets (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    id TEXT NOT NULL,                       -- public
    ordinal BIGINT NOT NULL,                -- a newer secret has a higher one
    secret_digest BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, id)
);

CREATE TABLE owners (
    subject TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,                 -- as its owner writes it
    username_key TEXT NOT NULL UNIQUE,      -- as it is compared
    name TEXT,
    email TEXT,
    role TEXT NOT NULL,                     -- admin, developer, user
    password_hash TEXT NOT NULL,            -- a PHC string
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE sessions (
    session_digest BLOB NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,                -- public
    subject TEXT NOT NULL REFERENCES owners (subject) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL            -- only ever grows
);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_created_at ON sessions (created_at);
CREATE INDEX sessions_by_last_seen_at ON sessions (last_seen_at);

CREATE TABLE pending_authorizations (
    interaction_digest BLOB NOT NULL PRIMARY KEY,
    browser_digest BLOB NOT NULL,
    origin TEXT NOT NULL,                   -- a network address
    ordinal BIGINT NOT NULL,                -- counts the requests of one origin in order of arrival
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BIGINT NOT NULL,
    scope TEXT NOT NULL,
    state BLOB,                             -- any text, NUL included, which PostgreSQL has no TEXT for
    code_challenge TEXT,
    prompt TEXT NOT NULL,                   -- values with one space between them; may be empty
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    signed_in BLOB,                         -- the digest of the session that was started for it
    decided_at BIGINT
);
CREATE UNIQUE INDEX pending_authorizations_by_origin ON pending_authorizations (origin, ordinal);
CREATE INDEX pending_authorizations_by_expires_at ON pending_authorizations (expires_at);

CREATE TABLE consents (
    subject TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,                    -- everything that was approved and not withdrawn
    given_at BIGINT NOT NULL,
    PRIMARY KEY (subject, client_id)
);
CREATE INDEX consents_by_client_id ON consents (client_id);

CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,           -- public
    subject TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,                      -- NULL: no cap
    revoked_at BIGINT                       -- from then on no code or token of this grant is valid
);
CREATE INDEX grants_by_subject ON grants (subject, client_id);
CREATE INDEX grants_by_client_id ON grants (client_id);

CREATE TABLE codes (
    code_digest BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id),
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent BIGINT NOT NULL,
    code_challenge TEXT,                    -- S256
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT                      -- set by the one redemption that wins
) WITHOUT ROWID;
CREATE INDEX codes_by_grant_id ON codes (grant_id);
CREATE INDEX codes_by_expires_at ON codes (expires_at);

CREATE TABLE access_tokens (
    token_digest BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id),
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX access_tokens_by_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_by_expires_at ON access_tokens (expires_at);

CREATE TABLE refresh_tokens (
    token_digest BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id),
    parent_digest BLOB,                     -- the token it succeeds; that row may be purged before it
    ordinal BIGINT NOT NULL,                -- counts the successors of one parent in order of issue
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,                         -- when it was first presented
    spent_at BIGINT                         -- from then on presenting it is a replay
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_grant_id ON refresh_tokens (grant_id, parent_digest);
CREATE INDEX refresh_tokens_by_expires_at ON refresh_tokens (expires_at);

-- Which programs may use this database: those that know the greatest version here. A migration that takes
-- away what older programs need adds a row; others leave them running.
CREATE TABLE schema_floor (
    version TEXT NOT NULL PRIMARY KEY
);
INSERT INTO schema_floor VALUES ('20261125000001');
