import HTTPListener
import Testing

@Suite struct ListenAddressTests {
    @Test("a port alone means this machine", arguments: ["9655", ":9655", "localhost:9655", "127.0.0.1:9655"])
    func loopback(text: String) {
        let address = ListenAddress(text)
        #expect(address == .ip4("127.0.0.1", port: 9655))
        #expect(address?.isLocal == true)
    }

    @Test("other addresses are named") func others() {
        #expect(ListenAddress("0.0.0.0:9655") == .ip4("0.0.0.0", port: 9655))
        #expect(ListenAddress("0.0.0.0:9655")?.isLocal == false)
        #expect(ListenAddress("[::1]:9655") == .ip6("::1", port: 9655))
        #expect(ListenAddress("[::1]:9655")?.isLocal == true)
        #expect(ListenAddress("[0:0::1]:1")?.isLocal == true)
        #expect(ListenAddress("[::]:9655")?.isLocal == false)
        #expect(ListenAddress("/run/pgvigil.sock") == .unix("/run/pgvigil.sock"))
        #expect(ListenAddress("unix:/run/pgvigil.sock") == .unix("/run/pgvigil.sock"))
        #expect(ListenAddress("[::1]:9655")?.description == "[::1]:9655")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", ":", "nine", "65536", "-1", "+1", "::1:9655", "db.example:9655", "10.0.0:1", "[::1]", "[::g]:1",
            "1.2.3.4",
            "run/x.sock", "unix:x.sock", "9655 ", "127.0.0.1:", "/" + String(repeating: "x", count: 200),
        ])
    func refused(text: String) { #expect(ListenAddress(text) == nil) }
}
