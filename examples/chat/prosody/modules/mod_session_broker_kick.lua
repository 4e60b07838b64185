-- Ends the live connections of a broker session that is over.
--
--   POST /session-broker/kick  {"username":"17-1"}                       every connection of this user
--   POST /session-broker/kick  {"username":"17-1","session_ids":[4,9]}   those that were opened with these sessions;
--                                                                        0 stands for the account's password
--   200 {"closed":2}    400 not understood    401 wrong secret    403 not from here
--
-- The Host header chooses the virtual host. To repeat a request does no harm.
--
-- Settings:
--   session_broker_kick_secret  what the broker shows as "Authorization: Bearer …"
--   session_broker_kick_from    addresses that may ask; this machine alone where nothing is said
--
-- Written for Prosody 0.12. Needs authentication = "session_broker" on the same virtual host.

module:depends("http");

local hashes = require "util.hashes";
local json = require "util.json";
local nodeprep = require "util.encodings".stringprep.nodeprep;

local secret = assert(module:get_option_string("session_broker_kick_secret"), "session_broker_kick_secret is missing");
local allowed_from = module:get_option_set("session_broker_kick_from", { "127.0.0.1", "::1" });
local opened = module:shared("/" .. module.host .. "/session_broker/opened");
setmetatable(opened, { __mode = "k" });

-- Digests are of one length: how long the comparison takes says nothing of the secret.
local expected = hashes.sha256("Bearer " .. secret);
local function is_the_broker(request)
	return hashes.equals(hashes.sha256(request.headers.authorization or ""), expected);
end

-- The session ids as a set, nil where all are meant, false where the list makes no sense.
local function wanted_sessions(ids)
	if ids == nil then return nil; end
	if type(ids) ~= "table" then return false; end
	local set, count = {}, 0;
	for _, id in pairs(ids) do
		if type(id) ~= "number" then return false; end
		set[id] = true;
		count = count + 1;
	end
	-- An object with other keys is no list.
	return count == #ids and set;
end

local function kick(event)
	local request = event.request;
	if not allowed_from:contains(request.ip) then return 403; end
	if not is_the_broker(request) then return 401; end

	local asked = json.decode(request.body or "");
	local username = type(asked) == "table" and type(asked.username) == "string" and nodeprep(asked.username);
	if not username or username == "" then return 400; end
	local sessions = wanted_sessions(asked.session_ids);
	if sessions == false then return 400; end

	local victims = {};
	local function choose(session)
		if session.destroyed or victims[session] then return; end
		local by = opened[session];
		if sessions == nil or (by and sessions[by.session_id]) then victims[session] = true; end
	end
	-- Connections that were let in by this host's provider, also such as have no resource yet or wait to be resumed …
	for session, by in pairs(opened) do
		if by.username == username then choose(session); end
	end
	-- … and whatever else is online under this name, when everything is to end.
	local online = prosody.hosts[module.host].sessions[username];
	for _, session in pairs(online and online.sessions or {}) do choose(session); end

	local closed = 0;
	for session in pairs(victims) do
		session:close({ condition = "not-authorized", text = "The session has ended." });
		closed = closed + 1;
	end
	if closed > 0 then module:log("info", "Closed %d connections of %s", closed, username); end
	event.response.headers.content_type = "application/json";
	return json.encode({ closed = closed });
end

module:provides("http", {
	name = "session_broker_kick";
	default_path = "/session-broker";
	cors = { enabled = false };
	route = { ["POST /kick"] = kick };
});
