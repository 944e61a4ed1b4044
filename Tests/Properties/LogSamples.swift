import LogRecords

/// A few records of every format.
enum LogSamples {
    private static let time = "2026-03-02 09:49:01.374"

    static let all: [(format: LogFormat, text: String)] = [
        (
            format: .csvlog,
            text: """
            \(time) UTC,"bob","shop",7,"192.0.2.1:4000",69a55d0d.7,1,"authentication",\(time) UTC,3/1,0,FATAL,28P01,"password authentication failed for user ""bob"" ","Connection matched file ""/pg/hba"" line 3: ""host all"" ",,,,,,,,"","client backend",,0
            \(time) UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,2,"idle",\(time) UTC,3/1,0,LOG,00000,"statement: DROP TABLE a;
            GRANT x TO y",,,,,,,,,"psql","client backend",,0
            \(time) UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,3,"DROP TABLE",\(time) UTC,3/1,0,LOG,00000,"AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.a,""DROP TABLE a; GRANT x TO y"",<none>",,,,,,,,,"psql","client backend",,0

            """
        ),
        (
            format: .jsonlog,
            text: """
            {"timestamp":"\(time) UTC","user":"bob","dbname":"shop","pid":7,"remote_host":"192.0.2.1","remote_port":4000,"session_id":"69a55d0d.7","line_num":1,"ps":"authentication","error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \\"bob\\"","backend_type":"client backend"}
            {"timestamp":"\(time) UTC","user":"bob","dbname":"shop","pid":8,"remote_host":"[local]","session_id":"69a55d0d.8","line_num":2,"ps":"idle","error_severity":"LOG","message":"statement: ALTER ROLE a PASSWORD 'x'","backend_type":"client backend"}

            """
        ),
        (
            format: .stderr,
            text: """
            \(time) UTC [7] LOG:  connection received: host=192.0.2.1 port=4000
            \(time) UTC [7] bob@shop FATAL:  password authentication failed for user "bob"
            \(time) UTC [7] bob@shop DETAIL:  Connection matched file "/pg/hba" line 3: "host all"
            \(time) UTC [8] bob@shop LOG:  statement: DROP TABLE a;
            \t GRANT x TO y
            \(time) UTC [8] bob@shop LOG:  duration: 3.1 ms

            """
        ),
        (
            format: .syslog,
            text: """
            Mar  2 09:49:01 pg postgres[7]: [3-1] \(time) UTC [7] bob@shop FATAL:  password authentication failed for user "bob"
            Mar  2 09:49:01 pg postgres[7]: [3-2] \(time) UTC [7] bob@shop DETAIL:  Role "bob" does not exist.
            Mar  2 09:49:01 pg sshd[9]: hello
            Mar  2 09:49:01 pg postgres[8]: [1-1] \(time) UTC [8] bob@shop LOG:  statement: DROP TABLE a;
            Mar  2 09:49:01 pg postgres[8]: [1-2] #011 GRANT x TO y

            """
        ),
        (
            format: .pgbouncer,
            text: """
            \(time) UTC [1] LOG C-0x5: shop/bob@192.0.2.1:4000 login attempt: db=shop user=bob tls=no
            \(time) UTC [1] LOG C-0x5: shop/bob@192.0.2.1:4000 closing because: SASL authentication failed (age=0s)
            \(time) UTC [1] WARNING C-0x5: shop/bob@192.0.2.1:4000 pooler error: SASL authentication failed
            \(time) UTC [1] LOG C-0x6: (nodb)/(nouser)@192.0.2.1:4001 no such user: a@192.0.2.2:1 x
            \tmore
            \(time) UTC [1] LOG S-0x7: shop/bob@192.0.2.5:5432 new connection to server (from 192.0.2.6:999)

            """
        ),
        (
            format: .patroni,
            text: """
            2026-03-02 09:49:01,374 INFO: promoted self to leader by acquiring session lock
            2026-03-02 09:49:02,374 ERROR: Exception
            Traceback (most recent call last):
            psycopg2.OperationalError: FATAL:  the database system is starting up
            2026-03-02 09:49:03,374 INFO: no action. I am (pg-1), the leader with the lock

            """
        ),
        (
            format: .pgbackrest,
            text: """
            -------------------PROCESS START-------------------
            \(time) P00   INFO: backup command begin 2.50: --stanza=pg
            \(time) P00  ERROR: [057]: unable to execute query
                                HINT: x
            \(time) P00   INFO: backup command end: aborted with exception [057]

            """
        ),
        (
            format: .haproxy,
            text: """
            192.0.2.66:35988 [02/Mar/2026:06:06:24.742] pg pg/<NOSRV> -1/-1/0 0 PR 1/1/0/0/0 0/0
            192.0.2.66:35989 [02/Mar/2026:06:06:24.742] pg pg/pg-1 192.0.2.1:999 1/0/9 2 -- 1/1/0/0/0 0/0
            Mar  2 09:49:01 lb haproxy[4]: Server pg/pg-1 is DOWN, reason: Layer4 timeout

            """
        ),
        (
            format: .pgauditlogtofile,
            text: """
            2026-03-02 09:49:01.374 UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,2,"DROP TABLE",2026-03-02 09:49:01 UTC,3/1,0,00000,"AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.a,DROP TABLE a,<none>",,,,,,,,,"psql"

            """
        ),
    ]
}
