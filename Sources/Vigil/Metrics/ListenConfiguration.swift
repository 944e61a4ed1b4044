import HTTPListener
import HTTPTransport
import LocatedYAML

/// Where `watch` answers those who ask: the key `listen`, a text or a mapping.
public struct ListenConfiguration: Sendable, Equatable {
    /// Where; a port alone is this machine's.
    public var address: ListenAddress
    /// Where the token stands that clients must show; nil: none is asked for.
    var token: Secret?

    /// An address of the command line; nil when it is none.
    public init?(_ text: String) {
        guard let address = ListenAddress(text) else { return nil }
        self.address = address
    }

    init(_ value: YAMLValue) throws(YAMLProblem) {
        guard value.isMapping else {
            address = try ListenConfiguration.address(value)
            return
        }
        let keys = try value.mapping(["address", "token_file", "token_env"], required: ["address"])
        address = try ListenConfiguration.address(keys["address"] ?? value)
        switch (try keys["token_file"]?.text(), try keys["token_env"]?.text()) {
        case (let path?, nil): token = .file(path)
        case (nil, let name?): token = .environment(name)
        case (nil, nil): token = nil
        default: throw value.problem("where the token stands is said twice", hint: "leave one of them out")
        }
    }

    private static func address(_ value: YAMLValue) throws(YAMLProblem) -> ListenAddress {
        guard let address = ListenAddress(try value.text()) else {
            throw value.problem("no address to listen on", hint: ListenAddress.hint)
        }
        return address
    }

    /// How an address is written.
    public static var hint: String { ListenAddress.hint }

    /// The token, read where it stands.
    func bearerToken() throws -> BearerToken? {
        guard let token else { return nil }
        guard let result = BearerToken(try token.read()) else {
            throw ListenTokenProblem()
        }
        return result
    }
}

extension Configuration {
    /// Listens elsewhere than the file says; its token still holds.
    public mutating func listen(on text: String) {
        guard var other = ListenConfiguration(text) else { return }
        other.token = listen?.token
        listen = other
    }
}

/// The token is nothing that a client could send.
struct ListenTokenProblem: Error, CustomStringConvertible {
    let description = """
        listen: the token must be of visible ASCII characters without blanks
          hint: openssl rand -hex 32
        """
}
