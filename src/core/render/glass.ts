/** Break-glass in few words: what every page says while one is open or was not reviewed. */
import { isOpenGlass, type Glass } from '../glass.ts';
import { clockNear, say, short, type Shown } from './shown.ts';

/** One sentence for everybody; it says nothing of why. */
export function glassBanner(glass: Glass, nowMs: number): Shown {
  const what = say`${short(glass.operation, 120)} of ${short(glass.agent, 80)}`;
  return isOpenGlass(glass, nowMs)
    ? say`BREAK-GLASS is open until ${clockNear(glass.untilMs, nowMs)}: ${what} passes without asking people, where policies would hold it.`
    : say`BREAK-GLASS of ${what} is over and was not reviewed yet; the next one is refused until somebody has.`;
}
