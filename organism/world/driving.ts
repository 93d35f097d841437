/** Driving: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const driving = domain(
  'driving',
  `
# drive in thick fog
+ Drive slowly and turn on the fog lights.
+ Keep a long distance from the car in front.
+ Follow the line at the side of the road.
+ Stop in a safe place if you cannot see.
+> Slow cars can stop in time.
+> Lights help the others to see you in the fog.
- Turn off the lights and race through the fog.
- Drive on the wrong side to see more.
- Close your eyes and follow the noise.
- Drive as close to the next car as you can.
-> Fog makes cars soft.
-> Nobody else is on the road in fog.

# drive on an icy road
+ Drive slowly and brake gently.
+ Use winter tyres.
+ Leave early so that you have time.
+ Turn the wheel {softly|slowly}.
+> Ice makes the way to a stop much longer.
+> Winter tyres hold the road better.
- Speed up and pull the hand brake on the ice.
- Use old tyres without any grip.
- Dance with the car from side to side.
- Brake as hard as you can on every patch of ice.
-> Ice is only water and cannot hurt a car.
-> Sliding is the fastest way home.

# park on a hill
+ Pull the hand brake and leave the car in gear.
+ Turn the front wheels to the side of the road.
+ Put a stone behind the wheel.
+ Check that the car does not roll.
+> A car in gear does not roll away.
+> Turned wheels stop a car that starts to move.
- Leave the brake off and walk away.
- Park with the wheels toward the {river|school}.
- Tie the car to a flower.
- Let the car roll to find its own place.
-> Cars know how to stay where they are.
-> It is fun to watch a car roll down a hill.

# overtake a truck
+ Wait until the road ahead is free.
+ Look in the mirror and give a signal.
+ Pass quickly and leave plenty of room.
+ Stay behind the truck if you are not sure.
+> A free road gives you time to pass.
+> The mirror shows who comes from behind.
- Overtake the truck in a blind bend.
- Squeeze between the truck and the wall.
- Close your eyes when another car comes.
- Drive under the truck to save time.
-> The other cars will jump out of the way.
-> A blind bend makes you pass faster.

# drive at night
+ Check that all your lights work.
+ Drive slower than in the day.
+ Rest when your eyes get tired.
+ Keep the front window clean.
+> You see less of the road in the dark.
+> A clean window does not blind you.
- Turn off the lights to save the lamps.
- Wear dark glasses and drive fast in the dark.
- Look at the moon and not at the road.
- Sleep a little on the {straight|empty} parts of the road.
-> At night the road is always empty.
-> Cars can see in the dark like cats.

# change a tyre
+ Stop on firm, flat ground away from the cars.
+ Pull the hand brake before you lift the car.
+ Loosen the nuts before the wheel is in the air.
+ Pull the nuts tight again at the end.
+> A car on flat ground does not slip.
+> Tight nuts hold the wheel on.
- Change the tyre in the middle of a busy road.
- Lift the car with a {broom|banana}.
- Leave half of the nuts in the grass.
- Crawl under the car while it rolls.
-> Nuts are only there to look nice on a wheel.
-> Three wheels are enough for any car.

# cross a railway line
+ Stop and look both ways.
+ Wait until the gate is open.
+ Listen for the train with the window down.
+ Cross only when there is room on the other side.
+> A train cannot stop quickly.
+> The red light means that a train is coming.
- Drive around the closed gate.
- Stop on the rails and open your lunch box.
- Race the train to the crossing.
- Turn up the music so that you cannot hear the train.
-> Trains always give way to cars.
-> A red light means that you should hurry.

# drive past a school
+ Slow down and look for children.
+ Stop when a child wants to cross.
+ Watch the gaps between the parked cars.
+ Put your phone away near the school.
+> Children can run into the road at any time.
+> A slow car can stop for a child.
- Speed up and honk at the children.
- Drive on the {path|grass} where the children walk.
- Read a newspaper while you pass the school.
- Race through the gate to give the children a fright.
-> Children love to jump away from cars.
-> A school is a good place for a race.

# brake on a wet road
+ Brake early and softly.
+ Double the distance to the next car.
+ Drive slower when it rains.
+ Check your tyres before the rainy season.
+> Water makes the road slippery.
+> Good tyres push the water away.
- Wait until the last moment and then stamp on the brake.
- Put soap on your tyres.
- Drive through every deep puddle at top speed.
- Pull out the brakes because they are wet.
-> Rain makes the brakes stronger.
-> Tyres work best when they swim.

# drive a long way when I am tired
+ Take a break every two hours.
+ Let another person drive for a while.
+ Stop and sleep before you go on.
+ Open the window and look for a place to rest.
+> Tired drivers react too late.
+> A short sleep makes you fresh again.
- Put your feet on the wheel and take a nap.
- Close your eyes for a minute at a time.
- Drive all night without a break for {two|three} days.
- Sing a baby song to yourself and lean back.
-> The car drives better while you sleep.
-> Breaks are for people who cannot drive.

# check my car before a trip
+ Look at the tyres and the lights.
+ Test the brakes before you leave.
+ Fill up the oil and the water.
+ Take a warning triangle and a lamp.
+> Good brakes save lives.
+> A small check saves you from a long walk.
- Take the brakes out to make the car lighter.
- Fill the tank with {lemonade|soup}.
- Paint over the lights and the mirrors.
- Let the air out of the tyres for a soft ride.
-> Brakes only make a car slow.
-> A car that smokes is ready for a trip.

# load my car for a holiday
+ Put heavy bags at the bottom.
+ Tie the load down well.
+ Keep the back window free.
+ Check the tyres when the car is full.
+> Loose bags fly forward when you brake.
+> You need to see who drives behind you.
- Sit the children on top of the roof.
- Pile the bags up until you cannot see the road.
- Hang the heavy box out of the side door.
- Put the loose {knives|bottles} under your feet.
-> A car drives better when it is too heavy.
-> Windows are only for bored people.

= false: a red light means go
+ A red light means stop.
- Close your eyes and race through the red light.
= false: seat belts are only for children
+ Everybody in a car has to wear a seat belt.
- Cut the seat belts out of your car.
= false: a car can stop at once on ice
+ A car slides very far on ice.
- Drive as fast as you can over the ice.
= false: it is safe to sleep while you drive
+ A driver must be awake all the time.
- Take a pillow and close your eyes.
= false: the lights of a car are only for parties
+ The lights are there to see and to be seen.
- Paint your lights black.
= false: brakes make a car dangerous
+ Brakes make a car safe.
- Throw your brakes into the river.
= false: a driver can read a book on the way
+ A driver must watch the road.
- Read a thick book at top speed.
= false: trains stop for every car
+ A train cannot stop for a car.
- Park on the rails and wait for the train.
= false: tyres need no air
+ Tyres need air to hold the road.
- Let the air out before you race.
= false: a horn works better than a brake
+ Only the brake can stop a car.
- Use the horn and never the brake.
= true: a seat belt saves lives
+ It holds you in your seat in a crash.
= true: wet roads are slippery
+ The tyres lose their grip on water.
= true: tired drivers make more mistakes
+ They see things too late.
= true: a fast car needs a longer way to stop
+ Double speed needs four times the way.
= true: winter tyres are better on snow
+ They are soft and hold the snow.
= true: children must sit in a child seat
+ The belt fits them only with the seat.
= true: fog makes it hard to see
+ The small drops hide the road.
= true: a phone takes your eyes off the road
+ One short look is enough for a crash.
= true: old brakes should be replaced
+ Thin brakes cannot stop a car in time.
= true: the mirror has a blind spot
+ You have to turn your head as well.
`,
);
