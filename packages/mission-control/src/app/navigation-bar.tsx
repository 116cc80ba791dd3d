import { usePlace, useSession } from "../data/console.ts";
import { Link } from "../parts/link.tsx";
import { SCREENS } from "./screens.tsx";

/** The links to all screens; on small windows only while the menu is open. */
export function NavigationBar({ isOpen, onFollow }: { readonly isOpen: boolean; readonly onFollow: () => void }) {
  const { path } = usePlace();
  const rights = useSession()?.rights ?? [];
  const [current] = path.split("/");
  return (
    <nav id="nav" aria-label="Main" className={isOpen ? "nav nav-open" : "nav"}>
      <ul>
        {SCREENS.filter(({ right }) => right === undefined || rights.includes(right)).map((screen) => (
          <li key={screen.path}>
            <Link to={screen.path} current={screen.path === current || screen.onePath === current} onFollow={onFollow}>
              {screen.title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
