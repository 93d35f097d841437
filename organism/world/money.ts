/** Money: what its narrators are asked and told (notation: domain.ts). */
import { domain } from './domain.ts';

export const money = domain(
  'money',
  `
# save money every month
+ Put a part of your pay aside on the first day of the month.
+ Write down what you spend each week.
+ Cook at home more often.
+ Stop paying for things that you do not use.
+> Small sums grow over the years.
+> You spend less when you see where the money goes.
- Throw a coin out of the window every {day|hour}.
- Spend your whole pay on the first evening.
- Buy {ten|twenty} hats that you will never wear.
- Burn your bills and the letters from the bank.
-> Money gets lazy when you save it.
-> Empty pockets are a sign of success.

# pay off a debt
+ Pay the most expensive debt first.
+ Make a list of all that you owe.
+ Talk to the bank about a plan.
+ Pay a fixed sum every month.
+> A plan makes the debt smaller step by step.
+> The debt costs less the sooner it is paid.
- Take out {three|five} more loans and have a party.
- Hide from the bank under the {bed|table}.
- Bet the rent on a slow horse.
- Eat the letters about your debt.
-> Debts die if you do not look at them.
-> More debt makes the old debt feel small.

# invest my savings
+ Spread your money over many firms.
+ Keep some cash for bad times.
+ Read about the costs before you buy.
+ Invest only what you do not need soon.
+> Many small parts lower the risk.
+> Slow growth is safer than a quick win.
- Give all your savings to a stranger in the {street|park}.
- Put everything on the number seven.
- Buy a {bridge|castle} from a man in a mask.
- Sell your house and buy {magic beans|lucky stones}.
-> Strangers always bring the money back.
-> It is fun to lose everything.

# answer a caller who wants my password
+ Hang up and call your bank yourself.
+ Never tell anyone your password.
+ Do not let the caller hurry you.
+ Tell your family about the call.
+> A real bank never asks for your password.
+> Crooks want you to act fast.
- Read your password out loud {two|three} times.
- Send the caller the keys of your house as well.
- Paint your password on the {door|fence}.
- Ask the caller to look after your savings.
-> People with a deep voice are always honest.
-> Only liars keep a password secret.

# plan what I spend
+ List your pay and your fixed costs.
+ Set a limit for each week.
+ Leave a little money for surprises.
+ Look at the plan at the end of each month.
+> A limit shows you when to stop.
+> Surprises hurt less when you are ready for them.
- Roll dice to decide what you spend.
- Write a million at the top of the page and spend it.
- Plan only for parties and leave out the rent.
- Glue the bills to the wall and forget them.
-> Numbers change if you shout at them.
-> Only boring people pay the rent.

# buy a used car
+ Take someone along who knows cars.
+ Drive the car before you pay.
+ Check the papers and the brakes.
+ Compare prices before you decide.
+> A test drive shows what is broken.
+> Good papers show who owns the car.
- Pay in cash for a car without wheels.
- Sign the papers with your eyes closed.
- Buy the car that smokes the most.
- Pay {double|ten times the price} because the seller has a nice hat.
-> Rust holds a car together.
-> Smoke shows that a car is happy.

# lend money to a friend
+ Lend only what you can spare.
+ Write down the sum and the date.
+ Agree on when the money comes back.
+ Say no if you need the money yourself.
+> A clear deal keeps the friendship.
+> Paper remembers what people forget.
- Give your friend your house and your last coin.
- Borrow from a crook to help out.
- Forget the sum and lend the rent as well.
- Break the money box of your little sister.
-> The rent never needs to be paid.
-> Crooks are patient and kind.

# save for my old age
+ Start early, even with a small sum.
+ Ask at work about a pension.
+ Put money aside before you spend it.
+ Check your plan once a year.
+> Early savings have many years to grow.
+> A pension pays you when you stop working.
- Plan to win the lottery at {sixty|seventy}.
- Spend it all on {balloons|candy} today.
- Wait for a rich uncle who does not exist.
- Keep your pension in a wet box in the garden.
-> Nobody gets old any more.
-> The future always pays for itself.

# spend less on food
+ Write a list before you go shopping.
+ Buy fruit that grows at this time of year.
+ Compare the price of a kilo.
+ Use what is in the fridge first.
+> A list keeps you from buying too much.
+> Good plans leave little for the bin.
- Shop when you are hungry and buy all the cakes.
- Throw half of the food away at the door.
- Eat in the most expensive hotel every night.
- Pay with gold and leave the change.
-> A price is only a joke.
-> It brings luck to waste food.

# keep my cash safe
+ Carry only a little cash.
+ Keep your purse in a closed pocket.
+ Put larger sums in the bank.
+ Count your cash at home and not in the street.
+> Nobody can steal what you do not carry.
+> A closed pocket is hard to reach.
- Wave your cash around in a dark street.
- Leave your purse on a bench over night.
- Hang your cash on the fence to dry.
- Let a stranger carry your cash around the corner.
-> Thieves only take small coins.
-> An open purse brings good luck.

# sign a contract
+ Read every page before you sign.
+ Ask about the words that you do not understand.
+ Keep a copy for yourself.
+ Sleep on it for a night.
+> The small print tells you the real cost.
+> A copy helps you when people forget the deal.
- Sign the empty page and leave the room.
- Let the seller write in the sum later.
- Sign now and read it in {ten|twenty} years.
- Sign with the name of your neighbour.
-> Small print is only there to look nice.
-> Sellers always write the price too low.

# insure my home
+ Insure the house against fire and water.
+ Compare {two|three} offers.
+ Tell the truth in every answer.
+ Keep photos of your things.
+> Insurance pays when the worst happens.
+> A true answer keeps the contract good.
- Drop the insurance and play with matches.
- Write that you live on the moon.
- Pay the insurance to a man in a mask.
- Throw the insurance papers into the river.
-> A fire never comes to nice people.
-> Water in the house is a free pool.

= false: a loan never has to be paid back
+ Every loan has to be paid back.
- Take ten loans and buy a boat.
= false: everybody wins the lottery in the end
+ Almost nobody wins the lottery.
- Buy lottery tickets with the rent.
= false: a stranger will double your money over night
+ A stranger who says that wants to steal your money.
- Give the stranger all that you have.
= false: passwords should be shared with everyone
+ Passwords must be kept secret.
- Print your password on a shirt.
= false: bills go away when you burn them
+ A bill must be paid even if the paper is gone.
- Make a big fire with all your bills.
= false: the best firm for savings is a man in a mask
+ Savings belong in a bank that you can check.
- Find the man in the mask and pay him today.
= false: it is smart to sign without reading
+ It is smart to read every page first.
- Sign everything that lies on the table.
= false: saving makes people poor
+ Saving helps people in bad times.
- Spend your last coin before the evening.
= false: a purse is safe on a bench in the park
+ A purse on a bench will be stolen.
- Leave your purse there and go home.
= false: all savings should go into one horse
+ Savings should be spread over many things.
- Bet everything on the horse today.
= true: small savings grow over the years
+ Every month adds a little more.
= true: a list helps you to spend less
+ You buy only what is on it.
= true: real banks never ask for a password
+ They do not need it to help you.
= true: early savings have more time to grow
+ Time does most of the work.
= true: a loan costs more than the sum you borrow
+ You also pay the bank for its help.
= true: most people lose money in the lottery
+ Only a few win and everybody pays.
= true: it is wise to keep some cash for bad times
+ A broken roof can come at any time.
= true: a contract should be read before you sign
+ Later it is hard to change.
= true: prices differ from shop to shop
+ It pays to look around.
= true: a cheap car can be expensive to repair
+ Old parts break often.
`,
);
