// Whether the server answers, whether events flow, and who works.

import {byId, setText} from "../lib/dom.js";
import {plural} from "../lib/format.js";

/** Return [state, text] of the connection: the worst of what is known. */
export function connectionText({reachable, stream, waitMs}) {
  if (!reachable) return ["lost", "server does not answer; retrying"];
  if (stream === "refused") return ["lost", "refused: this server requires its token in the address"];
  if (stream === "waiting") {
    return ["waiting", waitMs ? `connection lost, reconnecting in ${Math.ceil(waitMs / 1000)} s` : "reconnecting"];
  }
  if (stream === "connecting") return ["waiting", "connecting"];
  return stream === "live" ? ["live", "live"] : ["idle", "connected"];
}

/** Return who works, in words. */
export function workersText(workers) {
  if (workers === null) return "";
  if (workers.length === 0) return "no worker";
  const devices = [...new Set(workers.map(({device}) => device.split(" (")[0]))].join(", ");
  return `${plural(workers.length, "worker")} on ${devices}`;
}

export function showConnection(connection, workers) {
  const [state, text] = connectionText(connection);
  byId("connection").dataset.state = state;
  setText(byId("connection-text"), text);
  setText(byId("workers"), workersText(workers));
  byId("workers").title = (workers ?? []).map(({name, device}) => `${name}: ${device}`).join("\n");
  setText(byId("trouble"), connection.trouble ?? "");
  byId("trouble").hidden = connection.trouble === null;
  byId("no-worker").hidden = workers === null || workers.length > 0 || !connection.reachable;
}
