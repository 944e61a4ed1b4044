import Testing

@testable import LogRecords

/// What a log does not carry is said before it is missed.
@Suite("Format gaps")
struct FormatGapTests {
    private func lacks(_ format: LogFormat, _ text: String, prefix: String? = nil, timezone: String? = nil) -> [String]
    {
        format.gaps(ReadingFacts(timezone: timezone, prefix: prefix, head: Array(text.utf8))).map(\.lacks)
    }

    @Test(
        "a prefix that leaves something out",
        arguments: [
            ("%m [%p] ", "no address", true), ("%m [%p] ", "no user", true), ("%m [%p] %q%u@%d ", "no address", true),
            ("%m [%p] %q%u@%d ", "nothing stands behind the names", true), ("%m %q%u@%d %h %e ", "no process", true),
            ("%m [%p] %q%u@%d %h %e ", "", false),
        ])
    func prefixes(prefix: String, words: String, isGap: Bool) {
        let found = lacks(.stderr, "2026-03-02 09:12:07.954 UTC [1] LOG:  x\n", prefix: prefix)
        #expect(isGap ? found.contains { $0.contains(words) } : found.isEmpty, "\(found)")
    }

    @Test("messages in another language without SQLSTATE")
    func language() {
        let german = "2026-03-02 09:12:07.954 UTC [1] FEHLER:  Relation »x« existiert nicht\n"
        #expect(lacks(.stderr, german, prefix: "%m [%p] ").contains { $0.contains("not English") })
        #expect(!lacks(.stderr, german, prefix: "%m [%p] %e ").contains { $0.contains("not English") })
        let english = "2026-03-02 09:12:07.954 UTC [1] ERROR:  relation \"x\" does not exist\n"
        #expect(!lacks(.stderr, english, prefix: "%m [%p] ").contains { $0.contains("not English") })
    }

    @Test("times without a zone, and zones that nothing explains")
    func zones() {
        let patroni = "2026-03-02 09:12:07,954 INFO: no action. I am (n1), the leader with the lock\n"
        #expect(lacks(.patroni, patroni).contains { $0.contains("taken for UTC") })
        #expect(lacks(.patroni, patroni, timezone: "Europe/Berlin").isEmpty)
    }

    @Test("csvlog carries all") func csvlog() { #expect(lacks(.csvlog, row() + "\n").isEmpty) }
}
