import type { State } from "./state.ts";

/** HAProxy has ended: it is started again at once, or as soon as what is under way has come to its end. */
export function withDeath(state: State, nowMs: number): State {
  switch (state.state) {
    case "stopped":
      return state;
    case "starting":
    case "working":
      return { ...state, died: true };
    case "idle":
      return { state: "stopped", known: state.known, before: state.proxy.followed, retryAtMs: nowMs };
  }
}
