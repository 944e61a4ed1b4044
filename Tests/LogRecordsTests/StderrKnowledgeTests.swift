import LogRecords
import Testing
import VigilModel

/// What a stderr log tells without `%e`, `%b` and a zone that means one thing.
@Suite("stderr: what messages tell")
struct StderrKnowledgeTests {
    @Test(
        "the SQLSTATE of a message that is only the server's",
        arguments: [
            ("ERROR:  syntax error at or near \"INTO\" at character 7", "42601"),
            ("ERROR:  unrecognized role option \"pasword\" at character 21", "42601"),
            ("FEHLER:  Syntaxfehler bei »INTO« bei Zeichen 63", "42601"),
            ("错误:  语法错误，位置在 \"INTO\" 或其附近 第63个字元处", "42601"),
            ("ERROR:  could not open file \"/etc/cron.d/x\" for writing: Permission denied", "42501"),
            ("ERROR:  could not access file \"/tmp/x.so\": No such file or directory", "58P01"),
            ("ERROR:  absolute path not allowed", "42501"),
            ("LOG:  parameter \"port\" cannot be changed without restarting the server", "55P02"),
            ("LOG:  configuration file \"/pg/a.conf\" contains errors; no changes were applied", "F0000"),
            ("LOG:  syntax error in file \"/pg/a.conf\" line 1, near token \"here\"", "42601"),
            ("LOG:  checkpoint starting: time", "00000"),
        ])
    func states(message: String, state: String) {
        let client = message.hasPrefix("LOG") ? "" : "bob@shop "
        let log = "2026-03-02 09:49:01.374 UTC [7] \(client)\(message)\n"
        let found = readLog(Array(log.utf8), prefix: "%m [%p] %q%u@%d ")
        #expect(found.values(.sqlState) == [state])
    }

    @Test(
        "CST is China's time in a Chinese log, whatever a client is called",
        arguments: [
            ("日志", "2026-03-02T07:04:01.107Z"), ("日誌", "2026-03-02T07:04:01.107Z"), ("LOG", "2026-03-02T21:04:01.107Z"),
        ])
    func language(label: String, time: String) {
        var log = ""
        for number in 0..<5 { log += "2026-03-02 15:04:01.107 CST [\(number)] \(label):  line\n" }
        log += "2026-03-02 15:04:01.107 CST [9] 日志:  @LOG:  LOG:  line\n"
        log += "2026-03-02 15:04:01.107 CST [9] LOG:  @日志:  日志:  line\n"
        let found = readLog(Array(log.utf8), prefix: "%m [%p] %q%u@%d ")
        #expect(Set(found.rows.map(\.time)) == [LogTime(parsing: time) ?? .distantPast])
        let told = readLog(Array(log.utf8), prefix: "%m [%p] %q%u@%d ", timezone: "America/Chicago")
        #expect(told.rows.first?.time == LogTime(parsing: "2026-03-02T21:04:01.107Z"))
    }
}
