package peers;

import bench.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/** The items, in Avro's single-object encoding. */
final class Items {
    static {
        // Avro makes objects only of classes that it is told to trust.
        System.setProperty("org.apache.avro.SERIALIZABLE_PACKAGES", "bench");
    }

    static final Serializer<Work> SERIALIZER = (topic, item) -> {
        try {
            return Work.getEncoder().encode(item).array();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    };

    static final Deserializer<Work> DESERIALIZER = (topic, bytes) -> {
        try {
            return Work.getDecoder().decode(bytes);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    };

    static final Serde<Work> SERDE = Serdes.serdeFrom(SERIALIZER, DESERIALIZER);

    private Items() {}
}
