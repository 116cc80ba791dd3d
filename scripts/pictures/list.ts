import type { Page } from "playwright-core";
import type { Shop } from "./shop.ts";

/** One picture: what of the console is in view, and how. */
export interface Picture {
  /** Of its file, without an ending. */
  readonly name: string;
  /** Below `/console/`. */
  readonly path: string | ((shop: Shop) => Promise<string>);
  readonly theme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  /** What is done on the page before it is drawn. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** The pictures of docs/console.md, docs/rollouts.md, docs/traces.md and README.md. */
export const PICTURES: readonly Picture[] = [
  {
    name: "overview",
    path: "",
    theme: "light",
    width: 1180,
    height: 780,
    prepare: (page) => page.locator('[data-testid=row][data-key="catalog"] [data-col=p99][data-value]').waitFor(),
  },
  {
    name: "shares",
    path: "services/checkout?tab=shares",
    theme: "light",
    width: 1180,
    height: 700,
    async prepare(page) {
      await page.getByRole("button", { name: "Edit shares" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("combobox", { name: "Caller" }).selectOption({ label: "storefront" });
      await dialog.getByRole("combobox", { name: "Add target" }).selectOption("//checkout(2)");
      await dialog.getByRole("spinbutton", { name: "//checkout(2)" }).fill("15");
      await dialog.locator('[data-testid=preview] [data-col=share][data-value="15"]').waitFor();
    },
  },
  {
    name: "rollout",
    path: (shop) => shop.rolloutPath("//checkout(2)"),
    theme: "light",
    width: 1180,
    height: 840,
    prepare: (page) => page.locator("[data-testid=chart]").first().waitFor(),
  },
  {
    name: "rolled-back",
    path: (shop) => shop.rolloutPath("//search(1)"),
    theme: "dark",
    width: 1180,
    height: 420,
    prepare: (page) => page.locator("[data-testid=step][data-state=failed]").waitFor(),
  },
  {
    name: "map",
    path: "map",
    theme: "dark",
    width: 1180,
    height: 560,
    prepare: (page) => page.locator(".graph-edge").first().waitFor(),
  },
  {
    name: "logs",
    path: "logs?q=checkout",
    theme: "light",
    width: 1180,
    height: 620,
    async prepare(page) {
      const failed = page.locator("[data-testid=row]:has([data-col=errors][data-value='3'])").first();
      await failed.getByRole("button").click();
      await page.getByText("issuer timed out").first().waitFor();
      await page.getByRole("button", { name: "Live" }).click();
    },
  },
  {
    name: "trace",
    path: (shop) => shop.failedTracePath(),
    theme: "dark",
    width: 1180,
    height: 640,
    prepare: (page) => page.getByTestId("waterfall").waitFor(),
  },
  {
    name: "phone",
    path: "services/checkout",
    theme: "dark",
    width: 390,
    height: 760,
    prepare: (page) => page.getByTestId("version").first().waitFor(),
  },
];
