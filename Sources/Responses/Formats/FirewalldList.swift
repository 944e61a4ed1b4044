import VigilModel

/// A set in firewalld's XML (firewalld.ipset(5)), for `/etc/firewalld/ipsets/`. Without a timeout: with one, firewalld
/// does not keep entries itself.
enum FirewalldList {
    static func render(_ bans: [Ban], family: String) -> String {
        """
        <?xml version="1.0" encoding="utf-8"?>
        <ipset type="hash:net">
          <option name="family" value="\(family)"/>
          <option name="maxelem" value="1048576"/>
        \(bans.map { "  <entry>\($0.cidr)</entry>\n" }.joined())</ipset>

        """
    }
}
