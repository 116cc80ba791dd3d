import { Dialog } from "../parts/dialog.tsx";
import { SCREENS } from "./screens.tsx";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["?", "this help"],
  ["↓", "from the search into the list"],
  ["↑ ↓ Home End", "from row to row"],
  ["Enter", "open"],
  ["Esc", "close"],
];

/** The keys of the console. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  const screens = SCREENS.flatMap(({ key, title }) => (key === undefined ? [] : [[`g ${key}`, title] as const]));
  return (
    <Dialog title="Keys" cancel="Close" onClose={onClose}>
      <dl className="facts">
        {[...KEYS, ...screens].map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
