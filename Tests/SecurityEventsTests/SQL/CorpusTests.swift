import SecurityEvents
import Testing

struct CorpusTests {
    @Test(arguments: CorpusStatements.withSecrets)
    func secretIsGone(sql: String, tag: String, secret: String) {
        let clean = redacted(sql)
        #expect(!clean.contains(secret) && clean.contains("<redacted>"))
        #expect(commands(sql) == [tag])
        #expect(commands(clean) == [tag])
    }

    @Test(arguments: CorpusStatements.withoutSecrets)
    func restStays(sql: String, tag: String) {
        #expect(redacted(sql) == sql)
        #expect(commands(sql) == [tag])
    }
}
