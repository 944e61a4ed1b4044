import Detections
import Patterns
import VigilModel

/// The engines that rules can be written for.
public enum ExportTarget: String, CaseIterable, Sendable {
    /// vmalert over VictoriaLogs.
    case vmalert
    /// Sigma, which converters turn into the language of a SIEM.
    case sigma

    /// The fields that its rules are about unless others are asked for.
    public var fields: ExportFields { self == .vmalert ? .pigsty : .pgvigil }
}

/// What became of a rule.
public struct RuleOutcome: Sendable {
    /// The rule.
    public let id: String
    /// Why it is not exported; nil when it is.
    public let refusal: String?
    /// Where the exported rule means more or less than the rule.
    public let notes: [String]
}

/// A file of exported rules.
public struct ExportedFile: Sendable {
    /// Its name in a folder.
    public let name: String
    /// Its content.
    public let text: String
}

/// All that an export gives.
public struct ExportedRules: Sendable {
    /// One file for vmalert, one a rule for Sigma.
    public let files: [ExportedFile]
    /// The whole in one text.
    public let text: String
    /// What became of each rule, in the catalogue's order.
    public let outcomes: [RuleOutcome]
}

/// Writes rules in the words of another engine. A rule whose meaning the engine cannot express is left out, with the
/// reason; where a part is approximated, the rule says so.
public struct RuleExporter {
    private let catalogue: Catalogue
    private let exceptions: [AlertException]
    private let publicNetworks: Set<EventMatch.Network>
    private let now: LogTime

    /// Takes the catalogue with the configuration's changes to it, what the configuration excepts, kinds of address that
    /// count as public ones, and the moment, at which exceptions may have ended.
    public init(
        _ catalogue: Catalogue, exceptions: [AlertException] = [], publicNetworks: Set<EventMatch.Network> = [],
        now: LogTime
    ) {
        self.catalogue = catalogue
        self.exceptions = exceptions
        self.publicNetworks = publicNetworks
        self.now = now
    }

    /// Exports the rules with these ids, all of them when none is named. Rules that are switched off are left out.
    public func export(_ target: ExportTarget, fields: ExportFields, rules ids: [String] = []) -> ExportedRules {
        var vmalert: [VmalertRule] = []
        var sigma: [ExportedFile] = []
        var outcomes: [RuleOutcome] = []
        for rule in catalogue.rules where ids.isEmpty || ids.contains(rule.about.id) {
            var notes = Notes()
            do throws(NotExpressible) {
                guard rule.enabled else { throw NotExpressible("the configuration switches it off") }
                switch target {
                case .vmalert:
                    let query = try LogsQLQuery(rule, reading(rule, rule.match, fields, true, &notes), notes: &notes)
                    vmalert.append(VmalertRule(rule, query, notes: notes))
                case .sigma: sigma.append(try sigmaFile(rule, fields, &notes))
                }
                outcomes.append(RuleOutcome(id: rule.about.id, refusal: nil, notes: notes.texts))
            } catch {
                outcomes.append(RuleOutcome(id: rule.about.id, refusal: error.reason, notes: []))
            }
        }
        let head = ExportHead(target: target, fields: fields, outcomes: outcomes).lines
        switch target {
        case .vmalert:
            let text = (head + VmalertGroups.lines(vmalert)).joined(separator: "\n") + "\n"
            return ExportedRules(files: [ExportedFile(name: "pgvigil.yml", text: text)], text: text, outcomes: outcomes)
        case .sigma:
            let text = head.joined(separator: "\n") + "\n" + sigma.map(\.text).joined(separator: "---\n")
            return ExportedRules(files: sigma, text: text, outcomes: outcomes)
        }
    }

    private func sigmaFile(
        _ rule: Rule, _ fields: ExportFields, _ notes: inout Notes
    ) throws(NotExpressible) -> ExportedFile {
        let writer = SigmaWriter(rule: rule, fields: fields) { match, notes throws(NotExpressible) in
            try reading(rule, match, fields, false, &notes)
        }
        let documents = try writer.documents(&notes)
        let text = documents.map { $0.lines.joined(separator: "\n") + "\n" }.joined(separator: "---\n")
        return ExportedFile(name: "\(rule.about.id).yml", text: text)
    }

    private func reading(
        _ rule: Rule, _ match: EventMatch, _ fields: ExportFields, _ knowsTime: Bool, _ notes: inout Notes
    ) throws(NotExpressible) -> Reading {
        var reading: Reading
        var rule = rule
        rule.match = match
        switch fields {
        case .pgvigil:
            reading = try EventRows(
                publicNetworks: publicNetworks, isVictoriaLogs: knowsTime
            ).reading(rule)
        case .pigsty:
            reading = try RawRows(catalogue: catalogue.events, publicNetworks: publicNetworks)
                .reading(rule, notes: &notes)
        }
        let excepted = Exceptions(all: exceptions, knowsTime: knowsTime, now: now).condition(
            rule.about,
            fields: { key throws(NotExpressible) in
                if fields == .pgvigil { return key.rawValue }
                // Which log a row is from is not asked: all have the same names for these.
                return try RawColumns.field(key, of: .postgresql)
            }, notes: &notes)
        reading.condition = .and([reading.condition, excepted])
        return reading
    }
}
