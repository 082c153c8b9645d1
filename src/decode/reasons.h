// Why a packet ended as it did: one row a reason. To add one, add a row.
//
// Every packet has exactly one reason, so the counters of all reasons add up to the packets that
// came in, and those of one class to the packets of that class. The number of a reason is not
// stored anywhere; its name is.
#pragma once

#include "record/packet.h"

// X(constant, name, class without PACKET_, help)
// clang-format off
#define DECODE_REASONS(X) \
    X(OK, "ok", IP, "Decoded down to the transport layer, or to a protocol without one") \
    X(FRAGMENT_JOINED, "fragment_joined", IP, "A piece of a datagram that was joined") \
    X(FRAGMENT_AGAIN, "fragment_again", IP, "A piece that came again after all were joined") \
    X(TUNNEL_NOT_IP, "tunnel_not_ip", IP, "A tunnel around something that is not IP") \
    X(TUNNEL_BROKEN, "tunnel_broken", IP, "A tunnel around something that is cut or malformed") \
    X(FRAGMENT_HELD, "fragment_held", HELD, "A piece that waits for the rest of its datagram") \
    X(CUT_TRANSPORT, "cut_transport", IP, "The header was not captured beyond the ports") \
    X(BAD_TRANSPORT, "bad_transport", IP, "The header behind the ports contradicts itself") \
    X(ARP, "arp", NOT_IP, "Address Resolution Protocol (RFC 826)") \
    X(RARP, "rarp", NOT_IP, "Reverse ARP (RFC 903)") \
    X(LLDP, "lldp", NOT_IP, "Link Layer Discovery (IEEE 802.1AB)") \
    X(EAPOL, "eapol", NOT_IP, "Port authentication (IEEE 802.1X)") \
    X(SLOW, "slow", NOT_IP, "Slow protocols: LACP, marker, OAM (IEEE 802.3 annex 57A)") \
    X(STP, "stp", NOT_IP, "Spanning tree (IEEE 802.1D), Cisco's per-VLAN variant too") \
    X(CDP, "cdp", NOT_IP, "Cisco discovery and trunking (CDP, VTP, DTP, UDLD, PAgP)") \
    X(IPX, "ipx", NOT_IP, "Novell IPX") \
    X(APPLETALK, "appletalk", NOT_IP, "AppleTalk and its address resolution") \
    X(NETBEUI, "netbeui", NOT_IP, "NetBIOS frames over LLC") \
    X(ISO, "iso", NOT_IP, "ISO network layer over LLC: IS-IS, CLNP, ES-IS") \
    X(LLC, "llc", NOT_IP, "Another IEEE 802.2 LLC or SNAP protocol") \
    X(LOOPBACK_TEST, "loopback_test", NOT_IP, "Ethernet configuration testing (0x9000)") \
    X(WAKE_ON_LAN, "wake_on_lan", NOT_IP, "Wake-on-LAN") \
    X(PPPOE_DISCOVERY, "pppoe_discovery", NOT_IP, "PPPoE discovery stage (RFC 2516)") \
    X(PPP_CONTROL, "ppp_control", NOT_IP, "PPP link and network control (RFC 1661)") \
    X(KEEPALIVE, "keepalive", NOT_IP, "Cisco HDLC keep-alive (SLARP)") \
    X(PTP, "ptp", NOT_IP, "Precision time over Ethernet (IEEE 1588)") \
    X(CFM, "cfm", NOT_IP, "Connectivity fault management (IEEE 802.1ag)") \
    X(REGISTRATION, "registration", NOT_IP, "VLAN and stream registration (IEEE 802.1Q MRP)") \
    X(FCOE, "fcoe", NOT_IP, "Fibre Channel over Ethernet") \
    X(ATA, "ata", NOT_IP, "ATA over Ethernet") \
    X(INDUSTRIAL, "industrial", NOT_IP, "Profinet, EtherCAT, Powerlink, GOOSE and their like") \
    X(MESH, "mesh", NOT_IP, "B.A.T.M.A.N., HomePlug, TRILL and their like") \
    X(UNKNOWN_ETHERTYPE, "unknown_ethertype", NOT_IP, "No layer for this ethertype") \
    X(UNKNOWN_PPP, "unknown_ppp", NOT_IP, "No layer for this PPP protocol") \
    X(WLAN_CONTROL, "wlan_control", NOT_IP, "IEEE 802.11 management, control and empty frames") \
    X(WLAN_PROTECTED, "wlan_protected", NOT_IP, "IEEE 802.11 data that is encrypted") \
    X(CHANNEL_CONTROL, "channel_control", NOT_IP, "MPLS associated channel (RFC 5586)") \
    X(STATUS, "status", NOT_IP, "Frame relay status, or a record of the capture itself") \
    X(UNKNOWN_FAMILY, "unknown_family", NOT_IP, "A loopback frame of another address family") \
    X(MACSEC, "macsec", UNDECODABLE, "Encrypted or authenticated by MACsec (IEEE 802.1AE)") \
    X(CUT_HEADER, "cut_header", UNDECODABLE, "A header below the ports was not captured whole") \
    X(BAD_LENGTH, "bad_length", UNDECODABLE, "A length contradicts its own or the outer header") \
    X(BAD_VERSION, "bad_version", UNDECODABLE, "Not the version that the layer below announced") \
    X(BAD_PPPOE, "bad_pppoe", UNDECODABLE, "PPPoE session header with another version or code") \
    X(PSEUDOWIRE, "pseudowire", UNDECODABLE, "MPLS labels around something that is not IP") \
    X(TOO_MANY_LAYERS, "too_many_layers", UNDECODABLE, "More layers or labels than are followed") \
    X(BAD_FRAGMENT, "bad_fragment", UNDECODABLE, "A fragment that no datagram can have") \
    X(FRAGMENT_TIMEOUT, "fragment_timeout", UNDECODABLE, \
      "The rest of the datagram did not come in time, or not before the end") \
    X(FRAGMENT_ORPHAN, "fragment_orphan", UNDECODABLE, \
      "A piece of which the beginning was not seen, or was given up") \
    X(FRAGMENT_REPLACED, "fragment_replaced", UNDECODABLE, \
      "Another datagram of the same name began before the rest came") \
    X(BAD_CHECKSUM, "bad_checksum", UNDECODABLE, "Joined to something with a wrong check sum") \
    X(FRAGMENT_CAP, "fragment_cap", UNDECODABLE, \
      "Its sender, or all, had more unfinished datagrams than are kept") \
    X(UNKNOWN_LINK_TYPE, "unknown_link_type", UNKNOWN_LINK, "No layer for the capture's link type")
// clang-format on

enum decode_reason {
#define REASON_CONSTANT(constant, name, class, help) REASON_##constant,
    DECODE_REASONS(REASON_CONSTANT)
#undef REASON_CONSTANT
        REASON_COUNT,
};

const char *decode_reason_name(enum decode_reason reason);
const char *decode_reason_help(enum decode_reason reason);
enum packet_class decode_reason_class(enum decode_reason reason);
