import { useConsole } from "../data/console.ts";
import { useStore } from "../data/store.ts";
import type { Themes } from "../data/theme.ts";
import { Link } from "../parts/link.tsx";

interface HeaderProps {
  readonly themes: Themes;
  /** The button that shows the navigation on small windows; null where there is none. */
  readonly menu: { readonly isOpen: boolean; readonly toggle: () => void } | null;
}

const PHASES = { loading: "connecting", ready: "live", offline: "offline", "signed-out": "signed out" } as const;

/** What stands above every screen: whose console it is, how it is connected, and who is signed in. */
export function Header({ themes, menu }: HeaderProps) {
  const { connection } = useConsole();
  const { phase, session } = useStore(connection.state);
  const theme = useStore(themes.theme);
  const isSession = session?.auth === "session";
  return (
    <header className={isSession ? "header header-full" : "header"}>
      {menu === null ? null : (
        <button
          type="button"
          className="menu-button"
          aria-expanded={menu.isOpen}
          aria-controls="nav"
          onClick={menu.toggle}
        >
          Menu
        </button>
      )}
      <Link to="" className="brand">
        <span aria-hidden="true" className="brand-mark">
          ◆
        </span>
        <span className="brand-name">Mission Control</span>
      </Link>
      <span data-testid="connection" data-value={phase} className={`connection connection-${phase}`}>
        <span aria-hidden="true">{phase === "ready" ? "●" : "○"}</span> {PHASES[phase]}
      </span>
      <span className="spacer" />
      {session === null ? null : (
        <span className="who">
          {session.tenant === null ? null : <span className="quiet">{session.tenant} </span>}
          <span data-testid="role">{session.role}</span>
        </span>
      )}
      <button type="button" aria-label="Theme" title={`Now ${theme}`} onClick={themes.toggle}>
        <span aria-hidden="true">{theme === "dark" ? "☾" : "☀"}</span>
      </button>
      {isSession ? (
        <button type="button" onClick={() => void connection.signOut()}>
          Sign out
        </button>
      ) : null}
    </header>
  );
}
