package peers;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams: each item of one topic goes to another, decoded and encoded as for any code that
 * looks at it; with {@code bytes=true} it is passed on unseen, which is the least that Kafka
 * Streams can do.
 */
public final class Relay {
    public static void main(String[] arguments) throws InterruptedException {
        Settings settings = Settings.of(arguments);
        StreamsBuilder builder = new StreamsBuilder();
        if (settings.flag("bytes")) {
            relay(builder, settings, Serdes.ByteArray());
        } else {
            relay(builder, settings, Avro.ITEMS);
        }
        Streams.run(builder.build(), settings);
    }

    private static <V> void relay(StreamsBuilder builder, Settings settings, Serde<V> serde) {
        builder.stream(settings.text("from"), Consumed.with(Serdes.ByteArray(), serde))
            .to(settings.text("to"), Produced.with(Serdes.ByteArray(), serde));
    }

    private Relay() {}
}
