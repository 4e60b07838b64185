-- Prosody authentication provider: the password (SASL PLAIN) is an Ostiary session token.
--
-- Every login is one POST to the broker's /chat/verify. Nothing is stored and nothing is remembered: a token that was revoked a
-- moment ago lets nobody in, and a broker that is away, slow or answers anything but a clear yes lets nobody in either.
--
-- Settings (global or of a virtual host):
--   session_broker_url      where the broker answers, such as "http://127.0.0.1:8080"
--   session_broker_secret   the secret of this chat client ("oscc_…")
--   session_broker_timeout  seconds until a question counts as unanswered; 4 where nothing is said
--
-- Written for Prosody 0.12.

local http = require "net.http";
local async = require "util.async";
local json = require "util.json";
local sasl = require "util.sasl";
local timer = require "util.timer";

local broker = assert(module:get_option_string("session_broker_url"), "session_broker_url is missing");
local secret = assert(module:get_option_string("session_broker_secret"), "session_broker_secret is missing");
local deadline = module:get_option_number("session_broker_timeout", 4);
local endpoint = broker:gsub("/+$", "") .. "/chat/verify";

-- SASLprep gives up above this, so nobody is asked about anything longer.
local max_password_bytes = 1023;

-- Which broker session each connection was opened with, for mod_session_broker_kick. Connections that are gone drop out by
-- themselves; the table outlives a reload of this module, so that nothing is forgotten.
local opened = module:shared("/" .. module.host .. "/session_broker/opened");
setmetatable(opened, { __mode = "k" });

-- Asks the broker. Returns its answer when that is a clear yes, else nil.
local function ask(username, password)
	local wait, done = async.waiter();
	local body, code;
	local request = http.request(endpoint, {
		method = "POST";
		headers = { ["Content-Type"] = "application/json"; ["Authorization"] = "Bearer " .. secret };
		body = json.encode({ username = username; domain = module.host; password = password });
		suppress_url = true;
	}, function (answer, status)
		if code then return; end
		body, code = answer, status;
		done();
	end);
	-- Without it Prosody would wait for minutes. To cancel ends the connection as well, and calls back with code 0.
	local limit = request and timer.add_task(deadline, function ()
		if not code then request:cancel("no answer in time"); end
	end);
	wait();
	if limit then timer.stop(limit); end

	if code ~= 200 then
		-- The problem's text is Prosody's own where the code is 0; a body of the broker's is nobody's business here.
		module:log("error", "The broker could not decide: %s", code == 0 and body or code);
		return nil;
	end
	local answer = json.decode(body);
	-- A page that some proxy serves with 200 is no yes.
	if type(answer) ~= "table" or answer.allow ~= true then return nil; end
	return answer;
end

local provider = {};

function provider.test_password(username, password)
	if #password > max_password_bytes then return false; end
	return ask(username, password) ~= nil;
end

-- Accounts live at the broker. Every address counts as existing, so that messages to people who are away are kept for them.
function provider.user_exists() return true; end
function provider.users() return function () end; end

for _, refused in ipairs({ "get_password", "set_password", "create_user", "delete_user" }) do
	provider[refused] = function () return nil, "Accounts are kept by the broker."; end
end

-- PLAIN alone is offered: SCRAM needs a stored password, and clients that know both would take it.
function provider.get_sasl_handler(session)
	return sasl.new(module.host, {
		plain_test = function (_, username, password)
			local answer = #password <= max_password_bytes and ask(username, password);
			if not answer then return false, true; end
			-- Noted before the connection is let in: from here on an end of the session finds it, bound to a resource or not.
			if session then
				-- 0: no session, but the account's own password, where the application takes it.
				opened[session] = { username = username; session_id = tonumber(answer.session_id) or 0 };
			end
			return true, true;
		end;
	});
end

-- A stream that is resumed (XEP-0198) goes on under the session that resumed it.
module:hook("smacks-hibernation-end", function (event)
	opened[event.resumed], opened[event.origin] = opened[event.origin], nil;
end);

module:provides("auth", provider);
