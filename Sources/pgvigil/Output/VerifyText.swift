import EventStore
import VigilModel

/// What going over the chain showed, for a person and for machines.
struct VerifyText {
    private let report: ChainReport

    init(_ report: ChainReport) { self.report = report }

    /// What is wrong, in a line each; empty when all is well.
    var problems: [String] {
        var problems: [String] = []
        if !report.holds { problems.append("the chain is broken in \(Sizes.plural(report.faultCount, "place"))") }
        let broken = report.proofs.count { $0.proof == .differs || isCut($0.proof) }
        if broken > 0 {
            problems.append(
                "\(Sizes.plural(broken, "head")) that \(broken == 1 ? "was" : "were") kept cannot come of this chain")
        }
        if !report.proofs.isEmpty, report.proofs.allSatisfy({ isPruned($0.proof) }) {
            problems.append("no head could be proved: their rows went by `retention`; give a later one")
        }
        return problems
    }

    private func isCut(_ proof: ChainReport.Proof) -> Bool { if case .isCut = proof { true } else { false } }
    private func isPruned(_ proof: ChainReport.Proof) -> Bool { if case .isPruned = proof { true } else { false } }

    // MARK: - For a person

    var lines: [String] { faults + tables + proofs + (report.holds ? ["every row is as it was written"] : []) + [head] }

    private var head: String { "head \(report.head)" }

    private var tables: [String] {
        report.tables.map { table in
            StoryText.padded(table.name, 8) + " \(Sizes.plural(Int(table.rows), "row"))"
                + (table.pruned > 0 ? ", \(Sizes.count(table.pruned)) gone by retention" : "")
        }
    }

    private var faults: [String] {
        report.faults.flatMap { fault -> [String] in
            let row = fault.row > 0 ? " row \(fault.row)" : ""
            let about = [fault.id.map { Shown.text($0) }, fault.time?.description].compactMap { $0 }
            let place = about.isEmpty ? "" : " (\(about.joined(separator: ", ")))"
            let says = fault.text.map { ["       it says now: \(Shown.text($0, limit: 300))"] } ?? []
            return ["BROKEN \(fault.table)\(row)\(place): \(fault.problem)"] + says
        }
            + (report.faultCount > report.faults.count
                ? ["… and \(Sizes.count(Int64(report.faultCount - report.faults.count))) more"] : [])
    }

    private var proofs: [String] {
        report.proofs.map { head, proof in
            switch proof {
            case .holds: "proved: \(head)"
            case .differs: "NOT PROVED: \(head): rows before it are others"
            case .isCut(let table, let last): "NOT PROVED: \(head): \(table) end with row \(last), later ones are gone"
            case .isPruned(let table, let row): "too old to prove: \(head): row \(row) of \(table) went by retention"
            }
        }
    }

    // MARK: - For machines

    var rows: [ShownRow] {
        let faults = report.faults.map { fault -> ShownRow in
            var row: ShownRow = [
                ("kind", .text("fault")), ("table", .text(fault.table)), ("row", .number(fault.row)),
                ("problem", .text(fault.problem)),
            ]
            if let id = fault.id { row.append((fault.table == "alerts" ? "alert.id" : "event.id", .text(id))) }
            if let time = fault.time { row.append(("@timestamp", .time(time))) }
            if let text = fault.text { row.append(("message", .text(text))) }
            return row
        }
        let tables = report.tables.map { table -> ShownRow in
            [
                ("kind", .text("table")), ("table", .text(table.name)), ("rows", .number(table.rows)),
                ("pruned", .number(table.pruned)),
            ]
        }
        let proofs = report.proofs.map { head, proof -> ShownRow in
            let word =
                switch proof {
                case .holds: "proved"
                case .differs: "differs"
                case .isCut: "cut"
                case .isPruned: "pruned"
                }
            return [("kind", .text("proof")), ("head", .text(head.description)), ("result", .text(word))]
        }
        let end: ShownRow = [
            ("kind", .text("head")), ("head", .text(report.head.description)),
            ("faults", .number(Int64(report.faultCount))),
        ]
        return faults + tables + proofs + [end]
    }
}
