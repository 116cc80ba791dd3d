import { type ReactNode, useEffect, useRef, useState } from "react";
import { segmentsOf } from "../core/address.ts";
import { useConsole, usePlace } from "../data/console.ts";
import { whoIs } from "../data/connection.ts";
import { useStore } from "../data/store.ts";
import type { Themes } from "../data/theme.ts";
import { Empty, Loading } from "../parts/answered.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { SignIn } from "../screens/sign-in/view.tsx";
import { FailureBoundary } from "./failure-boundary.tsx";
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
  const { path } = usePlace();
  useFocusAfter(path);
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
      <SkipLink />
      <Header themes={themes} menu={session === null ? null : menu} />
      <div className="frame">
        {session === null ? null : (
          <NavigationBar key={whoIs(session)} isOpen={isMenuOpen} onFollow={() => setMenuOpen(false)} />
        )}
        <main id="main" tabIndex={-1}>
          <OfflineBanner />
          {session === null ? (
            <Starting />
          ) : (
            <FailureBoundary key={whoIs(session)} place={path}>
              <CurrentScreen />
            </FailureBoundary>
          )}
        </main>
      </div>
      <NoticeList />
      {isHelpOpen ? <Help onClose={() => setHelpOpen(false)} /> : null}
    </>
  );
}

/** By hand: what follows `#` alone is relative to the base of the page, and would lead to Overview. */
function SkipLink() {
  const { navigation } = useConsole();
  const { path, search } = usePlace();
  return (
    <a
      className="skip"
      href={`${navigation.hrefOf(path, search)}#main`}
      onClick={(event) => {
        event.preventDefault();
        enterMain();
      }}
    >
      Skip to content
    </a>
  );
}

/** A link that was followed may be gone with its screen: the focus goes on from the new one, and not from the top. */
function useFocusAfter(path: string): void {
  const last = useRef(path);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    if (document.activeElement === document.body) enterMain();
  }, [path]);
}

const enterMain = (): void => document.getElementById("main")?.focus({ preventScroll: true });

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
