import { type ReactNode, useState } from "react";
import { segmentsOf } from "../core/address.ts";
import { useConsole, usePlace } from "../data/console.ts";
import { useStore } from "../data/store.ts";
import type { Themes } from "../data/theme.ts";
import { Empty, Loading } from "../parts/answered.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { SignIn } from "../screens/sign-in/view.tsx";
import { Header } from "./header.tsx";
import { Help } from "./help.tsx";
import { NavigationBar } from "./navigation-bar.tsx";
import { NoticeList } from "./notice-list.tsx";
import { OfflineBanner } from "./offline-banner.tsx";
import { SCREENS } from "./screens.tsx";
import { useKeys } from "./use-keys.ts";

/** The whole console: what stands around every screen, and the screen. */
export function App({ themes }: { readonly themes: Themes }) {
  const { connection } = useConsole();
  const { phase, session } = useStore(connection.state);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useKeys(() => setHelpOpen(true));
  if (phase === "signed-out") {
    return (
      <>
        <Header themes={themes} menu={null} />
        <SignIn />
      </>
    );
  }
  const menu = { isOpen: isMenuOpen, toggle: () => setMenuOpen(!isMenuOpen) };
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Header themes={themes} menu={session === null ? null : menu} />
      <div className="frame">
        {session === null ? null : <NavigationBar isOpen={isMenuOpen} onFollow={() => setMenuOpen(false)} />}
        <main id="main" tabIndex={-1}>
          <OfflineBanner />
          {session === null ? <Starting /> : <CurrentScreen />}
        </main>
      </div>
      <NoticeList />
      {isHelpOpen ? <Help onClose={() => setHelpOpen(false)} /> : null}
    </>
  );
}

function Starting() {
  return (
    <Page title="Mission Control">
      <Loading />
    </Page>
  );
}

function CurrentScreen(): ReactNode {
  const [first = "", second, ...rest] = segmentsOf(usePlace().path);
  if (second === undefined) {
    const screen = SCREENS.find(({ path }) => path === first);
    if (screen !== undefined) return screen.show();
  } else if (rest.length === 0) {
    const screen = SCREENS.find(({ path, onePath = path }) => onePath === first);
    if (screen?.showOne !== undefined) return screen.showOne(second);
  }
  return (
    <Page title="Not found">
      <Empty title="There is no such screen">
        <Link to="">Overview</Link> shows what there is.
      </Empty>
    </Page>
  );
}
