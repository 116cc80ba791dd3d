import { type Place, withParams } from "../core/address.ts";
import { Store } from "./store.ts";

/** Where the console is, kept in the address of the page, so that back, forward and reload restore it. */
export class Navigation {
  readonly place: Store<Place>;
  /** The absolute path of the console, with a slash at its end. */
  readonly base: string;

  /** @param base the address of the console's own root */
  constructor(base: URL) {
    this.base = base.pathname;
    this.place = new Store(this.#read());
    window.addEventListener("popstate", () => this.place.set(this.#read()));
  }

  /** The address of a screen, for links. */
  hrefOf(path: string, search = ""): string {
    return `${this.base}${path}${search === "" ? "" : `?${search}`}`;
  }

  /** Goes to a screen. */
  go(path: string, search = ""): void {
    window.history.pushState(null, "", this.hrefOf(path, search));
    this.place.set(this.#read());
    window.scrollTo(0, 0);
  }

  /** Changes search parameters of this screen; what is typed letter by letter replaces instead of adding to the history. */
  setParams(changes: Readonly<Record<string, string | null>>, { replace = false } = {}): void {
    const { path, search } = this.place.get();
    const href = this.hrefOf(path, withParams(search, changes));
    if (replace) window.history.replaceState(null, "", href);
    else window.history.pushState(null, "", href);
    this.place.set(this.#read());
  }

  #read(): Place {
    const { pathname, search } = window.location;
    const path = pathname.startsWith(this.base) ? pathname.slice(this.base.length) : "";
    return { path: path.replace(/\/+$/, ""), search: search.slice(1) };
  }
}
