//! PostgreSQL: a cluster of the benchmark's own, and the same statements from pgbench.

use crate::cluster::{Cluster, Disk};
use crate::rows::{ACCESS, AUDIENCE, FRESH, Item, Items, Kind, NOW, REFRESH, SCOPE, live};
use crate::subject::Subject;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::Duration;

pub struct Postgres<'c> {
    cluster: &'c Cluster,
    url: String,
}

impl<'c> Postgres<'c> {
    /// A cluster that writes as safely as in production.
    pub fn cluster() -> Cluster {
        Cluster::start(Disk::Durable)
    }

    /// A new database with so many live grants.
    pub fn new(cluster: &'c Cluster, live_grants: usize) -> Self {
        let url = cluster.create_database("template0");
        auth_store_diesel::migrate(&url).expect("a database");
        let database = Self { cluster, url };
        database.write_live(live_grants);
        database
    }

    fn database(&self) -> &str {
        crate::cluster::name_of(&self.url)
    }

    fn write_live(&self, count: usize) {
        self.copy(GRANTS, |out| live(count).try_for_each(|item| grant(out, item)));
        self.copy(TOKENS, |out| {
            for item in live(count) {
                refresh_token(out, item, "parent", item.some_end("parent ends", REFRESH))?;
            }
            for item in Items::live(count, 0, count).iter() {
                old_access_token(out, item)?;
                refresh_token(out, item, "presented", item.some_end("presented ends", REFRESH))?;
            }
            Ok(())
        });
        self.settle();
    }

    fn copy(&self, table: &str, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
        let mut psql = self.cluster.client("psql", self.database());
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", &format!("COPY {table} FROM STDIN")]);
        let mut psql = psql.stdin(Stdio::piped()).spawn().expect("psql runs");
        let mut out = BufWriter::new(psql.stdin.take().expect("a pipe"));
        write(&mut out).and_then(|()| out.flush()).expect("rows to work on");
        drop(out);
        assert!(psql.wait().is_ok_and(|status| status.success()), "COPY {table}");
    }

    /// What autovacuum and the checkpointer would do sooner or later is done before a measurement.
    fn settle(&self) {
        self.cluster.run(self.database(), "VACUUM ANALYZE grants");
        self.cluster.run(self.database(), "VACUUM ANALYZE codes");
        self.cluster.run(self.database(), "VACUUM ANALYZE tokens");
        self.cluster.run(self.database(), "CHECKPOINT");
    }
}

impl Subject for Postgres<'_> {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn prepare(&self, kind: Kind, items: Items) {
        self.copy(GRANTS, |out| items.iter().try_for_each(|item| grant(out, item)));
        match kind {
            Kind::Redemption => {
                self.copy(CODES, |out| items.iter().try_for_each(|item| code(out, item)));
            }
            Kind::Rotation => self.copy(TOKENS, |out| {
                items.iter().try_for_each(|item| {
                    refresh_token(out, item, "parent", item.at() + REFRESH)?;
                    refresh_token(out, item, "presented", item.at() + REFRESH)
                })
            }),
        }
        self.settle();
    }

    /// So many clients of pgbench, each with a connection of its own.
    fn floor(&self, kind: Kind, items: Items, callers: usize) -> Duration {
        let file = self.cluster.directory().join("script.sql");
        let each = items.len / callers;
        std::fs::write(&file, script(kind, items, each)).expect("a script");
        self.cluster.give(&file);
        let mut pgbench = self.cluster.client("pgbench", self.database());
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "-D", "i=-1"]);
        pgbench.arg(format!("--client={callers}")).arg(format!("--transactions={each}"));
        let output = pgbench.arg(format!("--file={}", file.display())).output();
        let output = output.expect("pgbench runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        self.require_done(kind, items, each * callers);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        let rate: f64 = rate.and_then(|rate| rate.parse().ok()).expect("a rate");
        Duration::from_secs_f64(items.len as f64 / rate)
    }
}

impl Postgres<'_> {
    /// pgbench takes a statement that changes nothing for a success, so the rows are looked at.
    fn require_done(&self, kind: Kind, items: Items, count: usize) {
        let done = items.iter().take(count).step_by(count.div_ceil(50));
        let (mut expected, mut ids) = (0, String::new());
        for item in done {
            let _ = write!(ids, ", '\\x{}'", item.grant());
            expected += 1;
        }
        let ids = ids.trim_start_matches(", ");
        let changed = match kind {
            Kind::Redemption => format!(
                "SELECT count(*) FROM codes WHERE redeemed_at IS NOT NULL AND grant_id IN ({ids})"
            ),
            Kind::Rotation => format!(
                "SELECT count(*) FROM tokens AS used JOIN tokens AS successor USING (grant_id)
                 JOIN tokens AS parent USING (grant_id)
                 WHERE used.uses = 1 AND successor.parent_digest = used.token_digest
                 AND parent.token_digest = used.parent_digest AND parent.spent_at IS NOT NULL
                 AND grant_id IN ({ids})"
            ),
        };
        let found = self.cluster.run(self.database(), &changed);
        assert_eq!(found, expected.to_string(), "pgbench did what the store does");
    }
}

/// The transaction of the store, for the next item of a client's share. The keys that the store is handed
/// are computed here on the server: some microseconds of SHA-256 in each statement.
fn script(kind: Kind, items: Items, each: usize) -> String {
    let digest = |name: &str| format!("sha256(decode('{name} ' || (:n)::bigint, 'escape'))");
    let (presented, code) = (digest("presented"), digest("code"));
    let (access, refresh) = (digest("access"), digest("refresh"));
    let millis = format!(
        "(CASE WHEN (:n)::bigint >= {FRESH} THEN {NOW}000 + ((:n)::bigint - {FRESH}) / 2
          ELSE {NOW}000 + ((:n)::bigint - {FRESH}) * {REFRESH}000 / {FRESH} END)"
    );
    let random = digest("grant");
    let grant =
        format!("(substring(int8send({millis}) FROM 3) || substring({random} FROM 1 FOR 10))");
    let at = format!("GREATEST({NOW}, {millis} / 1000)");
    let (change, parent, ordinal) = match kind {
        Kind::Redemption => (
            format!(
                "UPDATE codes SET redeemed_at = {at} WHERE grant_id = {grant} AND code_digest = {code}
                 AND redeemed_at IS NULL AND EXISTS (SELECT 1 FROM grants WHERE grants.id = {grant}
                 AND grants.revoked_at IS NULL
                 AND (grants.expires_at IS NULL OR grants.expires_at > {at}));"
            ),
            "NULL",
            0,
        ),
        Kind::Rotation => (
            format!(
                "SELECT expires_at, revoked_at FROM grants WHERE id = {grant} FOR UPDATE;
                 UPDATE tokens SET
                 uses = CASE WHEN token_digest = {presented} THEN uses + 1 ELSE uses END,
                 spent_at = CASE WHEN token_digest = {presented} THEN NULL
                    ELSE COALESCE(spent_at, {at}) END
                 WHERE grant_id = {grant} AND token_digest IN ({presented}, (SELECT parent_digest
                    FROM tokens WHERE grant_id = {grant} AND token_digest = {presented} AND uses = 0
                    AND spent_at IS NULL))
                 AND kind = 'refresh' AND (token_digest <> {presented} OR spent_at IS NULL)
                 RETURNING token_digest, uses, parent_digest;"
            ),
            presented.as_str(),
            1,
        ),
    };
    let number = items.number_of_k();
    format!(
        "\\set i :i + 1\n\\set k :client_id * {each} + :i\n\\set n {number}\n
         BEGIN;
         {change}
         INSERT INTO tokens (grant_id, token_digest, kind, scope, audience, parent_digest, ordinal,
            uses, created_at, expires_at) VALUES
         ({grant}, {access}, 'access', '{SCOPE}', '{AUDIENCE}', NULL, 0, 0, {at}, {at} + {ACCESS}),
         ({grant}, {refresh}, 'refresh', NULL, NULL, {parent}, {ordinal}, 0, {at}, {at} + {REFRESH});
         COMMIT;\n"
    )
}

// Rows as COPY takes them.

const GRANTS: &str = "grants (id, subject, client_id, scope, audience, created_at)";
const CODES: &str = "codes (grant_id, code_digest, client_id, redirect_uri, redirect_uri_sent, \
    code_challenge, created_at, expires_at)";
const TOKENS: &str = "tokens (grant_id, token_digest, kind, scope, audience, parent_digest, ordinal, \
    uses, created_at, expires_at)";

type Out<'o> = &'o mut dyn Write;

fn hex(bytes: &[u8]) -> String {
    let mut text = "\\\\x".to_owned();
    bytes.iter().for_each(|byte| {
        let _ = write!(text, "{byte:02x}");
    });
    text
}

fn grant(out: Out<'_>, item: Item) -> std::io::Result<()> {
    let (id, subject) = (hex(item.grant().as_bytes()), item.0 / 4);
    let created_at = item.millis() / 1000;
    writeln!(out, "{id}\t{subject:032x}\tweb\t{SCOPE}\t{AUDIENCE}\t{created_at}")
}

fn code(out: Out<'_>, item: Item) -> std::io::Result<()> {
    let (id, digest) = (hex(item.grant().as_bytes()), hex(&item.digest("code")));
    let (at, end) = (item.at(), item.at() + 60);
    writeln!(
        out,
        "{id}\t{digest}\tweb\thttps://rp.test/cb\t1\t\
         E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\t{at}\t{end}"
    )
}

fn old_access_token(out: Out<'_>, item: Item) -> std::io::Result<()> {
    let (id, digest) = (hex(item.grant().as_bytes()), hex(&item.digest("old access")));
    let end = item.some_end("access ends", ACCESS);
    let at = end - ACCESS;
    writeln!(out, "{id}\t{digest}\taccess\t{SCOPE}\t{AUDIENCE}\t\\N\t0\t0\t{at}\t{end}")
}

fn refresh_token(out: Out<'_>, item: Item, name: &str, end: i64) -> std::io::Result<()> {
    let (id, digest) = (hex(item.grant().as_bytes()), hex(&item.digest(name)));
    let (parent, ordinal, uses) = match name {
        "parent" => ("\\N".to_owned(), 0, 1),
        _ => (hex(&item.digest("parent")), 1, 0),
    };
    let at = NOW.min(end - REFRESH);
    writeln!(out, "{id}\t{digest}\trefresh\t\\N\t\\N\t{parent}\t{ordinal}\t{uses}\t{at}\t{end}")
}
