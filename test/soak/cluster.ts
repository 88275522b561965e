/**
 * Three workers on JetStream, one killed and one cut off at random instants, again and again.
 *
 *     node test/soak/cluster.ts [readings] [seed]
 */
import { random } from '../../src/init/index.ts';
import { chaos } from '../cluster/chaos.ts';

const [readings = '100000', seed = '1'] = process.argv.slice(2);
const { events, ...outcome } = await chaos(Number(readings), random(Number(seed)), 200);
console.log(events.join('\n'));
console.log(outcome);
if (outcome.lost + outcome.doubled + outcome.wrong > 0) process.exitCode = 1;
