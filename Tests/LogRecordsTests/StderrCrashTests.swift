import LogRecords
import Testing

/// Names that once ended the program.
@Suite("Stderr logs that ended the program")
struct StderrCrashTests {
    @Test("names with labels and addresses, where the details of a failure have another reading than the failure")
    func pair() {
        let time = "2026-03-02 08:00:00.000 UTC"
        func failure(_ pid: Int, _ user: String, _ database: String) -> String {
            """
            \(time) [\(pid)] \(user)@\(database) FATAL:  password authentication failed for user "\(user)"
            \(time) [\(pid)] \(user)@\(database) DETAIL:  Role "\(user)" does not exist.

            """
        }
        let log =
            failure(20000, "no such user: client=192.0.2.9 port=1 DETAIL:  ", "shop")
            + "\tConnection matched file \"/pg/data/pg_hba.conf\" line 12: \"host all all all scram-sha-256\"\n"
            + "\(time) [20003] xx@192.0.2.9 FATAL:  no pg_hba.conf entry for host \"192.0.2.66\", user \"xx\", database "
            + "\"192.0.2.9\", no encryption\n"
            + failure(
                20046, "@9.9.9.9:1 pooler error: SASL authentication failed@LOG:  user=",
                "FATAL:  login attempt: db=shop user=bob tls=noLOG xconnection r")
        let bytes = Array(log.utf8)
        let found = read(bytes, with: LogFormat.stderr.reader(ReadingFacts(timezone: nil, head: bytes)))
        #expect(found.records.count >= 3)
    }
}
