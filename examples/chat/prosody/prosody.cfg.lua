-- Prosody whose users log in with their Ostiary session token. For Prosody 0.12.
--
-- What differs from place to place comes from the environment (Prosody reads it as ENV_…):
--
--   CHAT_DOMAIN          what stands behind the @ of addresses: chat.example.com              required
--   CHAT_CERTIFICATE     PEM file of the certificate (with its chain) for that name           required
--   CHAT_CERTIFICATE_KEY PEM file of its key, readable for Prosody                            required
--   CHAT_CLIENT_SECRET   secret of `ostiary chat-clients create`                              required
--   CHAT_KICK_SECRET     a secret of your own, with which the broker ends connections         required
--   BROKER_URL           http://127.0.0.1:8080 (in front of a distant broker: https://…)
--   CHAT_LISTEN          address that clients reach: * means all
--   CHAT_PORT 5222 · CHAT_TLS_PORT 5223 · CHAT_WEBSOCKET_PORT 5281 · CHAT_KICK_PORT 5280
--   PROSODY_DATA         /var/lib/prosody
--   PROSODY_MODULES      /usr/local/lib/prosody/modules: where the two modules of this folder lie

local function required(name, value)
	return assert(value and value ~= "" and value, name .. " is missing in the environment");
end
local domain = required("CHAT_DOMAIN", ENV_CHAT_DOMAIN);
local certificate = required("CHAT_CERTIFICATE", ENV_CHAT_CERTIFICATE);
local key = required("CHAT_CERTIFICATE_KEY", ENV_CHAT_CERTIFICATE_KEY);

-- Logging in ----------------------------------------------------------------------------------------------------------------

-- Every login asks the broker. Neither of the modules keeps an answer, and Prosody has no cache of logins.
authentication = "session_broker"
session_broker_url = ENV_BROKER_URL or "http://127.0.0.1:8080"
session_broker_secret = required("CHAT_CLIENT_SECRET", ENV_CHAT_CLIENT_SECRET)
session_broker_timeout = 4
session_broker_kick_secret = required("CHAT_KICK_SECRET", ENV_CHAT_KICK_SECRET)
-- A broker on another machine: list its address here and in http_interfaces below.
-- session_broker_kick_from = { "127.0.0.1", "::1", "192.0.2.10" }

-- Accounts are the broker's. Nobody registers here.
allow_registration = false

-- Encryption ----------------------------------------------------------------------------------------------------------------

-- The session token crosses the network as it is: never in the clear.
c2s_require_encryption = true
allow_unencrypted_plain_auth = false
-- Prosody looks through this folder first.
certificates = certificate:match("^(.*)/") or "."
ssl = { certificate = certificate; key = key }
https_ssl = { certificate = certificate; key = key }
c2s_direct_tls_ssl = { certificate = certificate; key = key }
-- Only where a proxy on this machine ends TLS in front of the WebSocket port:
-- consider_websocket_secure = true

-- Where it listens ----------------------------------------------------------------------------------------------------------

local outside = { ENV_CHAT_LISTEN or "*" }
interfaces = outside
c2s_ports = { tonumber(ENV_CHAT_PORT or 5222) }
c2s_direct_tls_ports = { tonumber(ENV_CHAT_TLS_PORT or 5223) }
-- WebSocket: wss://<domain>:5281/xmpp-websocket
https_interfaces = outside
https_ports = { tonumber(ENV_CHAT_WEBSOCKET_PORT or 5281) }
-- Requests whose Host header names no host of this server are for this one.
http_default_host = domain
http_paths = { websocket = "/xmpp-websocket" }
-- Where the broker ends connections: on this machine alone.
http_interfaces = { "127.0.0.1" }
http_ports = { tonumber(ENV_CHAT_KICK_PORT or 5280) }

-- Other XMPP servers (federation): off, which keeps strangers out. To open it, remove "s2s" here and open port 5269.
modules_disabled = { "s2s" }
s2s_secure_auth = true

-- What users get ------------------------------------------------------------------------------------------------------------

modules_enabled = {
	"saslauth", "tls", "disco", "roster", "ping", "carbons", "smacks", "blocklist", "private", "vcard4", "pep", "limits",
	"websocket",
	"session_broker_kick",
}
-- Above what a page full of presence takes, below what hurts.
limits = { c2s = { rate = "32kb/s", burst = "4s" } }
-- How long a client that lost its network may come back to the same stream.
smacks_hibernation_time = 300
-- "offline" (loaded by itself) keeps messages for users who are away; PROSODY_DATA holds them.
data_path = ENV_PROSODY_DATA or "/var/lib/prosody"
plugin_paths = { ENV_PROSODY_MODULES or "/usr/local/lib/prosody/modules" }

-- To standard output: the journal where systemd runs it.
log = { { levels = { min = ENV_CHAT_LOG_LEVEL or "info" }, to = "console" } }

-- Hosts ---------------------------------------------------------------------------------------------------------------------

VirtualHost (domain)

-- Group chat. ConnectyCube's SDK expects it at muc.<domain>, and rooms that need no configuring first.
Component ("muc." .. domain) "muc"
	restrict_room_creation = "local"
	muc_room_locking = false
