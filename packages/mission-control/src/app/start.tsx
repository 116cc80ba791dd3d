import { createRoot } from "react-dom/client";
import { Connection } from "../data/connection.ts";
import { type Console, ConsoleContext } from "../data/console.ts";
import { Live } from "../data/live.ts";
import { Navigation } from "../data/navigation.ts";
import { Notices } from "../data/notices.ts";
import { Themes } from "../data/theme.ts";
import { App } from "./app.tsx";

/** Puts the console together and draws it into its page. */
export function start(): void {
  const element = document.getElementById("console");
  if (element === null) throw new Error("Cannot draw the console: its page has no element for it");
  const base = fixBase();
  const connection = new Connection(new URL("..", base));
  const console: Console = {
    connection,
    live: new Live(connection),
    navigation: new Navigation(base),
    notices: new Notices(),
  };
  const themes = new Themes();
  connection.state.subscribe(() => {
    document.documentElement.dataset["console"] = connection.state.get().phase;
  });
  void connection.start(takeCode());
  createRoot(element).render(
    <ConsoleContext value={console}>
      <App themes={themes} />
    </ConsoleContext>,
  );
}

/** The server wrote the base for the depth of the first address; from then on it has to stay where it is. */
function fixBase(): URL {
  const base = new URL(document.baseURI);
  const element = document.querySelector("base");
  if (element !== null) element.href = base.href;
  return base;
}

/** The code that `dw console` put into the address, which goes out of it before anything else is done. */
function takeCode(): string | null {
  const code = new URLSearchParams(window.location.hash.slice(1)).get("code");
  if (code !== null) {
    const { pathname, search } = window.location;
    window.history.replaceState(null, "", `${pathname}${search}`);
  }
  return code;
}
