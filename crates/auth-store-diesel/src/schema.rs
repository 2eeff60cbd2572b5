//! The tables as the migrations make them. What the columns mean stands there.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    clients (id) {
        id -> Text,
        name -> Text,
        kind -> Text,
        scope -> Text,
        grant_types -> Text,
        require_pkce -> BigInt,
        auth_method -> Nullable<Text>,
        rotate_refresh_tokens -> BigInt,
        resource_server -> Nullable<Text>,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

table! {
    client_redirect_uris (client_id, position) {
        client_id -> Text,
        position -> BigInt,
        uri -> Text,
    }
}

table! {
    client_secrets (client_id, id) {
        client_id -> Text,
        id -> Text,
        ordinal -> BigInt,
        secret_digest -> Binary,
        created_at -> BigInt,
    }
}

table! {
    owners (subject) {
        subject -> Text,
        username -> Text,
        username_key -> Text,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        role -> Text,
        password_hash -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

table! {
    sessions (session_digest) {
        session_digest -> Binary,
        id -> Text,
        subject -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
    }
}

table! {
    pending_authorizations (interaction_digest) {
        interaction_digest -> Binary,
        browser_digest -> Binary,
        origin -> Text,
        ordinal -> BigInt,
        client_id -> Text,
        redirect_uri -> Text,
        redirect_uri_sent -> BigInt,
        scope -> Text,
        audience -> Text,
        state -> Nullable<Binary>,
        code_challenge -> Nullable<Text>,
        prompt -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        signed_in -> Nullable<Binary>,
        decided_at -> Nullable<BigInt>,
    }
}

table! {
    consents (subject, client_id, audience) {
        subject -> Text,
        client_id -> Text,
        audience -> Text,
        scope -> Text,
        given_at -> BigInt,
    }
}

table! {
    grants (id) {
        id -> Binary,
        subject -> Nullable<Text>,
        client_id -> Text,
        scope -> Text,
        audience -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

table! {
    codes (grant_id, code_digest) {
        grant_id -> Binary,
        code_digest -> Binary,
        client_id -> Text,
        redirect_uri -> Text,
        redirect_uri_sent -> BigInt,
        code_challenge -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        redeemed_at -> Nullable<BigInt>,
    }
}

table! {
    tokens (grant_id, token_digest) {
        grant_id -> Binary,
        token_digest -> Binary,
        kind -> Text,
        scope -> Nullable<Text>,
        audience -> Nullable<Text>,
        parent_digest -> Nullable<Binary>,
        ordinal -> BigInt,
        uses -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

table! {
    schema_floor (version) {
        version -> Text,
    }
}

table! {
    /// The versions of the migrations that were run; diesel's own.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

joinable!(client_redirect_uris -> clients (client_id));
joinable!(client_secrets -> clients (client_id));
joinable!(sessions -> owners (subject));
joinable!(codes -> grants (grant_id));
joinable!(tokens -> grants (grant_id));
allow_tables_to_appear_in_same_query!(sessions, owners);
allow_tables_to_appear_in_same_query!(clients, client_redirect_uris, client_secrets);
allow_tables_to_appear_in_same_query!(grants, codes, tokens);
