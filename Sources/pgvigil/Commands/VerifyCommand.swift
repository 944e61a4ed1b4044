import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// Proves the store's hash chain.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Prove that nothing in the store was changed, taken out or put in.",
        discussion: """
            Events, their further records, hops, alerts with their evidence, bans and acts are chained by hash in the order \
            they were written. Every row that does not fit is named; rows that went by `retention` fit. Code 0 when all \
            fits, 1 when not.

              pgvigil verify
              pgvigil verify --head 'events=1200,records=3,hops=0,alerts=17,bans=4,acts=9:5f0c…'
              journalctl -u pgvigil | pgvigil verify --heads -

            The last line is the head: where the chain ends. Kept where the store's owner cannot write, it proves later \
            that everything before it is as it was. `watch` writes it to its log at start, at stop and every hour, and \
            sends it with every alert.

            What this does not prove: who may write the store and knows this program can add rows, take the last ones \
            away, or make a new chain of other rows; heads that were kept elsewhere show all of this but what came after \
            the last of them. Positions, counters of the hour, what rules have learnt and what waits for sinks change all \
            the time and are not in the chain. Who is postgres can write what he likes into the server's log before it is \
            read.
            """)

    @OptionGroup var common: CommonOptions
    @Option(
        name: .customLong("head"),
        help: .init(
            "A head that was kept: prove that it is a part of this chain. May be given again.", valueName: "text"))
    var texts: [String] = []
    @Option(
        name: .customLong("heads"),
        help: .init("A file in which heads stand among other text, as a log; - for standard input.", valueName: "file"),
        completion: .file())
    var file: String?
    @Option(help: "table or jsonl.") var format: VerifyFormat = .table

    /// How the result is written.
    enum VerifyFormat: String, CaseIterable, ExpressibleByArgument {
        case table, jsonl
    }

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()), readOnly: true)
            let heads = try heads()
            let report = try store.verify(heads: heads)
            let text = VerifyText(report)
            if format == .table {
                Output.write(text.lines)
            } else {
                var writer = RowWriter(.jsonl, columns: [])
                for row in text.rows { writer.write(row) }
                writer.finish()
            }
            for problem in text.problems { Talk.error(problem) }
            if !text.problems.isEmpty { throw ExitCode(1) }
        }
    }

    private func heads() throws -> [ChainHead] {
        var heads = try texts.map { text in
            guard let head = ChainHead(text) else {
                throw Failure(
                    UsageProblem(
                        "--head: this is no head: \(Shown.text(text, limit: 200))",
                        hint: "it is the last line of `pgvigil verify`, or stands in the log of watch behind \"head\""),
                    code: 2)
            }
            return head
        }
        guard let file else { return heads }
        let data =
            file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
        guard let data else {
            throw Failure(UsageProblem("\(file): cannot be read", hint: "check the name and its mode"), code: 2)
        }
        let found = ChainHead.all(in: String(decoding: data, as: UTF8.self))
        if found.isEmpty {
            throw Failure(
                UsageProblem("\(file): no head stands in it", hint: "a head is what `pgvigil verify` prints last"),
                code: 2)
        }
        var known: Set<ChainHead> = []
        heads += found.filter { known.insert($0).inserted }
        return heads
    }
}

/// The command line asks for what cannot be.
private struct UsageProblem: Error, CustomStringConvertible {
    let description: String

    init(_ text: String, hint: String) { description = "\(text)\n  hint: \(hint)" }
}
