/** Swimming: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const swimming = domain(
  'swimming',
  `
# learn to swim
+ Take lessons with a good teacher.
+ Start where you can stand.
+ Practise to float on your back first.
+ Swim next to a friend who swims well.
+> A teacher shows you the right way to breathe.
+> You feel safe when your feet touch the ground.
- Jump into the deepest part on the first day.
- Learn alone at night in a {wild river|cold lake}.
- Fill your pockets with coins before you start.
- Swim out to sea until you know how it works.
-> Fear of the deep makes you swim by magic.
-> A teacher only spoils the fun.

# swim in the sea
+ Swim between the flags where the guards watch.
+ Stay close to the beach.
+ Ask about the waves and the wind.
+ Swim along the beach and not away from it.
+> The guards know the dangerous places.
+> Near the beach you can always stand.
- Swim far out when the red flag is up.
- Go into the sea in the middle of a storm.
- Ride on the back of a {shark|big fish}.
- Tell nobody and swim toward the big ships.
-> High waves carry you home by themselves.
-> A red flag means that the water is warm.

# dive into a lake
+ Check how deep the lake is first.
+ Walk in slowly at a place that you do not know.
+ Look for stones and wood under the water.
+ Dive only where it is allowed.
+> A lake that is not deep can break your neck.
+> You cannot see every stone from above.
- Dive head first into the muddy water.
- Dive from a {tall tree|bus} without a look.
- Dive where the sign shows a big stone.
- Run over the ice and dive into the hole.
-> Stones move away when you dive.
-> Muddy water is always deep.

# swim in a river
+ Stay near the side where the water is slow.
+ Look where you can get out before you go in.
+ Never swim near a dam.
+ Wear a life jacket in fast water.
+> Fast water is stronger than any swimmer.
+> A life jacket keeps your head up.
- Swim over the dam for fun.
- Jump into the river after heavy rain.
- Swim under the ships to say hello.
- Tie yourself to a {log|boat} without a crew.
-> A dam is a slide for swimmers.
-> Brown water after rain is the safest.

# watch children in the water
+ Stay close enough to touch the child.
+ Keep your eyes on the water all the time.
+ Put arm bands on small children.
+ Put your phone and your book away.
+> A child goes under without a sound.
+> A hand that is near can help at once.
- Go home and let the baby watch the others.
- Read a thick book with your back to the water.
- Throw the small ones into the deep end.
- Close your eyes and take a long nap on the beach.
-> Children float like corks.
-> A quiet child in the water is always fine.

# help someone in trouble in the water
+ Call for help at once.
+ Throw a ring or a rope to the swimmer.
+ Reach out with a long stick from the side.
+ Tell the swimmer to lie on the back and stay calm.
+> A rope keeps both of you safe.
+> Trained guards know what to do.
- Take a photo and walk away.
- Throw {stones|a chair} at the swimmer.
- Laugh and wave from the beach.
- Jump in with your boots and your coat on.
-> People who shout in the water are only singing.
-> A swimmer in trouble wants to be left alone.

# swim in cold water
+ Go in slowly and stay only a short time.
+ Wear a warm swim suit.
+ Take a friend with you to the cold lake.
+ Dry off and put on warm clothes after that.
+> Cold water makes you weak in minutes.
+> A slow start is easy on the heart.
- Stay in the ice water until you turn blue.
- Jump into the frozen lake in your {pyjamas|slippers}.
- Sit on the thin ice and have a picnic.
- Sit in the snow with wet hair for {two|three} hours.
-> Blue lips are a sign of power.
-> Thin ice is the strongest ice.

# use a rubber boat
+ Wear a life jacket in the boat.
+ Stay near the land.
+ Check the boat for holes before you start.
+ Go back when the wind grows.
+> Wind pushes a light boat out to sea.
+> A life jacket saves you when the boat turns over.
- Cut a hole in the boat to let the water out.
- Cross the ocean in the boat without a paddle.
- Stand up in the boat and fight.
- Take {ten|twenty} people in the little boat.
-> A rubber boat can never sink.
-> The wind will always bring you back.

# get out of a strong current
+ Stay calm and float on your back.
+ Swim to the side and not against the current.
+ Wave with one arm and call for help.
+ Save your strength until the current is weak.
+> Nobody can win against the current.
+> The current gets weak at its sides.
- Fight the current until you have no strength left.
- Dive down and hold on to the ground.
- Swim far out to find a bigger current.
- Drink the water until the current is gone.
-> The sea stops when you fight it.
-> Big currents are nicer than small ones.

# use the big slide at the pool
+ Slide with your feet first.
+ Wait until the person in front is gone.
+ Leave the end of the slide quickly.
+ Read the sign before you climb up.
+> Feet first keeps your head safe.
+> A free slide means that nobody gets hit.
- Slide head first with your eyes closed.
- Stop in the middle and take a nap in the tube.
- Stand up on the slide and jump off the side.
- Push {five|six} people down at once.
-> Heads are harder than the pool.
-> It is fun to land on other people.

# deal with a cramp in the water
+ Turn on your back and stretch the leg.
+ Call for help and wave.
+ Swim slowly back with your arms.
+ Rest on land until the pain is gone.
+> Floating saves your strength.
+> A stretched leg gets soft again.
- Kick as hard as you can and swim farther out.
- Hum a song and eat a cake under water.
- Hide the cramp and race your friends.
- Hit the sore leg with a {stone|paddle}.
-> A cramp makes you swim faster.
-> Pain in the water is only a joke.

# walk around the pool
+ Walk slowly on the wet floor.
+ Wear shoes that do not slip.
+ Look where you put your feet.
+ Keep the floor free of toys and towels.
+> Wet floors are slippery.
+> Slow steps keep you on your feet.
- Run around the pool with your eyes closed.
- Spread soap on the floor and race.
- Push people from behind into the empty pool.
- Dance on the wet edge with a full {glass|tray}.
-> Nobody can fall on a wet floor.
-> Soap makes the floor safe.

= false: babies can swim alone in the sea
+ Babies must be held in the water all the time.
- Let the baby swim to the next island.
= false: a red flag is an invitation
+ A red flag means that you must not swim.
- Swim out to the red flag and past it.
= false: ice is safe as soon as it is white
+ Thin white ice breaks under you.
- Walk to the middle of the lake and jump.
= false: a heavy coat helps you float
+ A heavy coat pulls you down.
- Put on two coats and jump in.
= false: sharks like to be touched
+ Sharks must be left alone.
- Swim up to the shark and hug it.
= false: you swim best with a full glass of wine
+ Wine and swimming do not go together.
- Drink the bottle and race the ships.
= false: dark water is always deep
+ Dark water can hide stones close to the top.
- Dive head first into the dark water.
= false: lightning cannot reach a swimmer
+ A swimmer must leave the water in a storm.
- Stay in the water and watch the lightning.
= false: guards at the beach are there for fun
+ The guards are there to save lives.
- Do the opposite of what the guards say.
= false: waves are weaker than people
+ Waves are much stronger than people.
- Fight the biggest wave with your fists.
= true: a life jacket keeps you up
+ It is filled with light foam.
= true: cold water makes the muscles weak
+ The blood leaves the arms and legs.
= true: wet floors at the pool are slippery
+ That is why running is not allowed.
= true: children need to be watched in the water
+ They can go under in a moment.
= true: a lake can be colder than it looks
+ Only the top is warmed by the sun.
= true: it is safer to swim with a friend
+ A friend can call for help.
= true: the sea can pull swimmers away
+ Currents are stronger than arms.
= true: you should know how deep the water is before you dive
+ Your head might hit the ground.
= true: a strong wind blows rubber boats away
+ They are light and have no keel.
= true: floating on the back saves strength
+ The water carries you.
`,
);
