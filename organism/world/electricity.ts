/** Electricity: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const electricity = domain(
  'electricity',
  `
# change a light bulb
+ Turn off the power before you touch the lamp.
+ Let the old bulb cool down.
+ Stand on a firm ladder under the lamp.
+ Screw the new bulb in gently.
+> A lamp without power cannot hurt you.
+> A hot bulb burns the fingers.
- Lick the lamp to see if the power is on.
- Touch the lamp with a wet {fish|mop}.
- Pull the hot bulb out with {wet|oily} fingers.
- Hang from the lamp and swing.
-> Power only bites people who are afraid.
-> Wet fingers are safe with any lamp.

# pull out a plug
+ Hold the plug and not the cable.
+ Dry your hands before you touch the plug.
+ Turn the machine off first.
+ Pull the plug out straight.
+> A pulled cable breaks inside.
+> Dry hands do not carry the power.
- Rip the plug out with your teeth.
- Tie the cable to a {horse|car} and let it run.
- Pour water over the plug to loosen it.
- Stick a {fork|key} behind the plug and push.
-> A plug works best when it is broken.
-> Water keeps the power asleep.

# dry a wet phone
+ Turn the phone off at once.
+ Wipe the phone with a dry cloth.
+ Let the phone dry for two days in warm air.
+ Ask a shop before you charge it.
+> A wet phone can break when it is on.
+> Warm air dries the inside slowly.
- Put the phone in the {oven|microwave}.
- Plug the wet phone in right away.
- Wash the phone with soap to get the water out.
- Blow hot flames into the phone.
-> Water is good for a battery.
-> A phone gets strong from rough care.

# use a long cable
+ Unroll the whole cable.
+ Keep the cable away from doors and water.
+ Look for broken spots before you use it.
+ Plug only one big machine into the cable.
+> A rolled cable gets too hot.
+> One machine is enough for a thin cable.
- Plug {ten|twenty} heaters into one cable.
- Lay the cable through {a puddle|the soup}.
- Fix the broken spot with chewing gum.
- Let the dog chew on the cable.
-> Hot cables keep the house warm.
-> A broken cable works even better.

# repair a lamp
+ Pull the plug before you open the lamp.
+ Ask an electrician if you are not sure.
+ Replace a broken cable and do not tape it.
+ Test the lamp after it is closed again.
+> A pulled plug means that no power is left.
+> An electrician knows which parts are safe.
- Open the lamp while it is on.
- Poke around in the lamp with a {wet spoon|knife}.
- Join the wires with your bare fingers.
- Throw the lamp into the pond to test it.
-> Sparks mean that the lamp likes you.
-> Wires feel nice between the fingers.

# use a hair dryer
+ Use the dryer far away from the water.
+ Dry your hands before you use the dryer.
+ Pull the plug after you use it.
+ Keep the air holes free.
+> Power and water are a bad pair.
+> A free hole keeps the dryer cool.
- Dry your hair under the garden hose.
- Cover the dryer with a pillow while it runs.
- Fill the dryer with {soap|water} for soft hair.
- Chase the cat with the hot dryer.
-> Water makes the power gentle.
-> Smoke from a dryer smells like flowers.

# deal with a power cut
+ Use a torch and not a candle.
+ Turn off the stove and the iron.
+ Keep the fridge closed.
+ Call the power company.
+> A torch cannot start a fire.
+> A closed fridge stays cold for hours.
- Light a camp fire on the carpet.
- Climb up the power pole and have a look.
- Run through the dark with open scissors.
- Turn on every machine and leave the house.
-> Carpets never burn in the dark.
-> Power poles are made for climbing.

# clean the toaster
+ Pull the plug and let the toaster cool.
+ Shake the crumbs out over the bin.
+ Wipe the outside with a {dry|soft} cloth.
+ Leave the inside dry.
+> Old crumbs can catch fire.
+> A cold toaster cannot burn you.
- Stick a fork into the toaster while it is on.
- Wash the running toaster in the sink.
- Fill the toaster with oil and turn it on.
- Lick the crumbs out of the hot toaster.
-> A toaster cannot hurt anyone.
-> Burning crumbs give a nice light.

# charge my phone at night
+ Use the cable that came with the phone.
+ Lay the phone on a hard table.
+ Keep the phone off the bed.
+ Pull the plug when the phone is full.
+> A hard table lets the heat out.
+> The right cable does not get too hot.
- Hide the hot phone under your pillow.
- Charge the phone in a bowl of soup.
- Use a broken cable with open wires.
- Wrap the phone in {paper|wool} to keep it hot.
-> Burnt pillows are soft.
-> A phone should get as hot as a stove.

# use an electric heater
+ Keep the heater away from curtains.
+ Turn the heater off when you leave.
+ Put the heater on a flat floor.
+ Plug the heater straight into the wall.
+> Curtains burn when they get too hot.
+> A heater needs a strong socket.
- Dry your wet {socks|towels} on the glowing heater.
- Put the heater in your bed and sleep.
- Balance the heater on a pile of pillows.
- Push the heater into the curtains.
-> Curtains like to be hot.
-> A heater can never start a fire.

# stay safe in a thunderstorm
+ Go into a house or a car.
+ Stay away from tall trees.
+ Get out of the water at once.
+ Pull the plug of the television.
+> Lightning likes tall trees.
+> A car keeps the lightning outside.
- Hold a long metal pole up to the sky.
- Fly a kite in the middle of the storm.
- Stand under the tallest tree on the hill.
- Dance on the roof with an {umbrella|iron hat}.
-> Lightning never hits brave people.
-> Wet metal keeps the lightning away.

# make sockets safe for children
+ Put safe covers on all sockets.
+ Teach the children to stay away from cables.
+ Move lamps and cables out of reach.
+ Have old sockets checked.
+> Children put their fingers into every hole.
+> A cover shuts the holes of the socket.
- Tell the children that sockets are toys.
- Let the children chew on the cables.
- Take the covers off and hide candy inside.
- Paint the socket like a funny face for the children.
-> Power is a good toy for children.
-> Sockets are harmless toys.

= false: water and power are good friends
+ Water carries power and is dangerous.
- Plug your radio into the soup.
= false: a fork fits well into a socket
+ Nothing but a plug may go into a socket.
- Get a fork and try it.
= false: lightning never hits a tree
+ Lightning hits tall trees very often.
- Sit under a tall tree in the storm.
= false: a broken cable is safe to touch
+ A broken cable can give you a shock.
- Hold the wires with both hands.
= false: ten heaters can share one socket
+ One socket is made for one heater.
- Plug in ten heaters and cover them.
= false: hot plugs are a good sign
+ A hot plug can start a fire.
- Leave the hot plug in and go out.
= false: a burning lamp is best put out with soup
+ You must turn off the power and call for help.
- Pour your soup over the lamp.
= false: electricians only break things
+ Electricians are trained to do the work safely.
- Open the box and pull out all the wires.
= false: cables grow back when you cut them
+ A cut cable is broken and dangerous.
- Cut all the cables and wait for new ones.
= false: a kite may touch the power lines
+ A kite must stay far from power lines.
- Fly your kite between the wires.
= true: dry hands are safer than wet hands
+ Water carries the power into the body.
= true: a car is safe in a thunderstorm
+ The metal leads the lightning around you.
= true: old cables should be replaced
+ Their cover breaks with the years.
= true: a lamp uses less power when it is off
+ You save money in the dark.
= true: the power should be off before a repair
+ Then no wire can hurt you.
= true: a torch is safer than a candle
+ It has no flame.
= true: metal carries power well
+ That is why wires are made of metal.
= true: a toaster can get very hot
+ The wires inside glow red.
= true: sockets need covers when children are near
+ Small fingers fit into small holes.
= true: old batteries do not belong in the bin
+ The shop takes them back.
`,
);
