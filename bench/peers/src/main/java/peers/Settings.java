package peers;

import java.util.HashMap;
import java.util.Map;

/** What a program was told: {@code name=value} arguments. */
record Settings(Map<String, String> values) {
    static Settings of(String[] arguments) {
        Map<String, String> values = new HashMap<>();
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            if (parts.length != 2) {
                throw new IllegalArgumentException("`" + argument + "` isn't name=value");
            }
            values.put(parts[0], parts[1]);
        }
        return new Settings(values);
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("`" + name + "=` is missing");
        }
        return value;
    }

    boolean flag(String name) {
        return Boolean.parseBoolean(values.get(name));
    }

    int number(String name) {
        return Integer.parseInt(text(name));
    }
}
