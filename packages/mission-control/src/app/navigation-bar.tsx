import { usePlace, useReply, useSession } from "../data/console.ts";
import { statusQuestion } from "../data/questions.ts";
import { Link } from "../parts/link.tsx";
import { type Screen, SCREENS } from "./screens.tsx";

/** The links to all screens; on small windows only while the menu is open. */
export function NavigationBar({ isOpen, onFollow }: { readonly isOpen: boolean; readonly onFollow: () => void }) {
  const { path } = usePlace();
  const rights = useSession()?.rights ?? [];
  const status = useReply(statusQuestion).data;
  const [current] = path.split("/");
  const isShown = ({ right, isThere }: Screen): boolean =>
    (right === undefined || rights.includes(right)) && (isThere === undefined || (status !== null && isThere(status)));
  return (
    <nav id="nav" aria-label="Main" className={isOpen ? "nav nav-open" : "nav"}>
      <ul>
        {SCREENS.filter(isShown).map((screen) => (
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
