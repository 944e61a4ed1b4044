import Patterns
import VigilModel

/// What a rule asks of a value, as a condition on the field that holds it.
enum FieldTests {
    /// Of a field with one value.
    static func condition(_ field: String, _ test: ValueTest) throws(NotExpressible) -> Condition {
        switch test {
        case .words(let words):
            let exact = words.filter { !$0.hasSuffix("*") }
            let starts = words.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
            return .or(
                [.equals(field, exact)] + starts.map { $0.isEmpty ? .has(field) : .test(field: field, .starts($0)) })
        case .cidr(let blocks): return .or(blocks.map { .test(field: field, .block($0)) })
        case .regex(let regex):
            let condition = try PortableRegex.condition(regex.source, field: field)
            // An absent value has nothing that could match; the engines take it for an empty text.
            return regex.match([]) ? .and([.has(field), condition]) : condition
        case .number(let range): return .test(field: field, .number(range))
        case .present(let wanted): return wanted ? .has(field) : .inverse(.has(field))
        case .not(let inner): return .inverse(try condition(field, inner))
        }
    }

    /// Of a list.
    static func items(_ field: String, _ test: ValueTest) throws(NotExpressible) -> Condition {
        switch test {
        case .words(let words):
            return .or(
                words.map { word in
                    .test(
                        field: field, word.hasSuffix("*") ? .itemStarts(String(word.dropLast())) : .item(word))
                })
        case .present(let wanted): return wanted ? .has(field) : .inverse(.has(field))
        case .not(let inner): return .inverse(try items(field, inner))
        case .cidr, .regex, .number: throw NotExpressible("a test of \(field) by anything but words")
        }
    }

    /// Of a value that is known.
    static func condition(_ values: [String], _ test: ValueTest) -> Condition {
        test.holds(forAny: values) ? .always : .never
    }
}

/// Kinds of address as conditions on the field with the address, and the one with what was logged of it.
struct NetworkTests {
    let ip: String
    let address: String
    /// Kinds that count as public ones.
    let publicNetworks: Set<EventMatch.Network>

    private static let privateBlocks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10",
    ]
    private static let loopbackBlocks = ["127.0.0.0/8", "::1/128"]

    func condition(_ networks: Set<EventMatch.Network>) -> Condition {
        let meant = EventMatch.Network.allCases.filter { network in
            networks.contains(publicNetworks.contains(network) ? .public : network)
        }
        let kinds: [EventMatch.Network] = [.public, .private, .loopback]
        let local: [Condition] =
            meant.contains(.local) ? [.and([.equals(address, ["[local]"]), .inverse(.has(ip))])] : []
        guard meant.contains(.public) else {
            return .or(meant.filter { $0 != .local }.map(blocks) + local)
        }
        let others = kinds.filter { !meant.contains($0) }.map { Condition.inverse(blocks($0)) }
        return .or([.and([.has(ip)] + others)] + local)
    }

    private func blocks(_ network: EventMatch.Network) -> Condition {
        let blocks = network == .private ? NetworkTests.privateBlocks : NetworkTests.loopbackBlocks
        return .or(blocks.compactMap { CIDR($0) }.map { .test(field: ip, .block($0)) })
    }
}
