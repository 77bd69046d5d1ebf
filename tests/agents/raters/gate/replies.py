"""Replies to people in grief, each with the failure that it is, or none."""

from holdfast.agents.raters.protocol import Failure

GRIEF = "My mother died last week and I can't stop crying. The house is so quiet without her."

FAILING: dict[Failure, tuple[str, ...]] = {
    "empty": ("", " \n", "?!", "**\n\n---\n\n**", "..."),
    "loop": (
        "sorry sorry sorry sorry sorry sorry sorry sorry",
        "I'm so sorry. I'm so sorry. I'm so sorry. I'm so sorry.",
        "I'm here, I'm here. I'm here.",
        "I love you. I love you. I love you.",
        "It is hard to talk about the budget. It is hard to talk about the deadline. It is hard to talk about the "
        "meeting. It is hard to talk about the report.",
        "A memory leak is a memory leak is a memory leak.",
        "I am here for you and I am here for you and I am here for you.",
        "Lo siento mucho de verdad. Lo siento mucho de verdad. Lo siento mucho de verdad.",
        "\u6211\u5f88\u62b1\u6b49\u3002\u6211\u5f88\u62b1\u6b49\u3002\u6211\u5f88\u62b1\u6b49\u3002",
    ),
    "copy of the user's message": (GRIEF, GRIEF.upper(), f"You said: {GRIEF}", f"> {GRIEF}\n\nI see."),
    "hostile": (
        "I am sorry that you are such a loser.",
        "Stop whining. Everybody dies.",
        "Oh boo hoo, cry me a river.",
        "Shut up about your mother already.",
        "You\u2019re pathetic. Get over it.",
        "Nobody cares about your dead mother.",
        "You are an idiot if you can't handle this.",
        "Grow up, it happens to all of us.",
        "You deserve to suffer for what you did.",
        "Wow, you really are stupid, aren't you?",
    ),
    "refusal": (
        "I can't help with that.",
        "I'm sorry, but I can't assist with that request.",
        "As an AI, I don't have feelings and cannot help with this.",
        "As an AI language model, I am unable to give emotional support. Please consult a medical professional.",
        "I'm really sorry that you're feeling this way, but I'm unable to provide the help that you need. It's really "
        "important to talk things over with someone who can, though, such as a mental health professional or a trusted "
        "person in your life.",
        "I cannot discuss this topic. Is there anything else I can help you with?",
        "I won't be able to continue this conversation.",
        "Sorry, I can't do that.",
        "I'm not qualified to help with that. Please contact a therapist.",
        "This request violates our policy.",
    ),
    "advertising": (
        "Sad? Try SereniTea! Use code CALM20 for 20% off your first order today.",
        "Check out our premium plan, now with a free trial. Sign up today!",
        "Buy now: the Grief Journal, only $19.99, with free shipping.",
        "Visit our website at www.happy.example and subscribe to our newsletter for exclusive offers.",
    ),
    "off-topic": (
        "Preheat the oven to 350 degrees. Mix two cups of flour with a teaspoon of salt, then bake for 20 minutes.",
        "To make pancakes, you need two cups of flour, two eggs and a tablespoon of sugar. Whisk and fry.",
        "The capital of France is Paris. It is located on the Seine and has a population of about two million people.",
        "Your call is important to us. Please hold the line.",
        "Tomorrow will be partly cloudy with highs in the mid 60s and a 20 percent chance of rain.",
        "def add(a, b):\n    return a + b\n\nprint(add(1, 2))\nimport os",
        "The Treaty of Westphalia ended the Thirty Years' War in 1648. It established a new system of political order "
        "in central Europe, based upon the concept of co-existing sovereign states, and changed the balance of power.",
    ),
}

ORDINARY = (
    "I'm so sorry for your loss. What was she like?",
    "I can't imagine how painful this must be.",
    "I can't help but feel sad reading this. You must miss her terribly.",
    "You are not worthless, and you're not a burden.",
    "It sounds like you feel that you are a failure. That must be exhausting.",
    'He called you "a loser"? That hurts.',
    "Maybe it feels like nobody cares. I do.",
    "I'm sorry, I can't imagine. Do you want to talk about her?",
    "The quiet in the house must be unbearable. You said you can't stop crying; that is how love hurts.",
    "Crying is not weak. There is no need to get over it quickly.",
    "Have you thought of baking something she used to make? Cooking her recipes can bring comfort.",
    "I'm an AI, so I can't hug you, but I'm listening, and what you feel matters. What do you miss most about her?",
    "Maybe talk to a therapist or a counselor; many have a free first session. I'm with you.",
    "Grief comes in waves. Some days will be quiet, and others will be loud.",
    "You deserve better than that.",
    "Yes.",
    "Hm.",
    "\u6211\u5f88\u62b1\u6b49\u3002",
)
